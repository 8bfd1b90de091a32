"""The telemetry vendors that a service may report to: one frozen value a file, and their table."""

from bootstrap.vendors.cloudwatch import CLOUDWATCH
from bootstrap.vendors.honeycomb import HONEYCOMB
from bootstrap.vendors.interface import Vendor
from bootstrap.vendors.rollbar import ROLLBAR
from bootstrap.vendors.xray import XRAY

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (HONEYCOMB, XRAY, CLOUDWATCH, ROLLBAR)}
