"""What a vendor's outage costs the requests: the app while vendors fail, and while all is well."""
