"""The only code that leaves the process: files, other processes, git, the network, run state."""
