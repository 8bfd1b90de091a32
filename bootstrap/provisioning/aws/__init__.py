"""What is made in an AWS account: X-Ray's groups and sampling rules, log groups, policies and roles."""
