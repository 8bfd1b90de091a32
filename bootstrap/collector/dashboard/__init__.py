"""The pages that a browser shows: server-rendered, with a little script for what moves."""
