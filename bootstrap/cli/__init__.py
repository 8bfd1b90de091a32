"""The command line: parse, call a flow, print. One verb a file."""
