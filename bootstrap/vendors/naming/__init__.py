"""Whether everything that names a service for X-Ray names it alike: recorder, sampling rule and group."""
