"""The engine of containers: `engine` is what others use, `run` one run of it, the rest what they need.

`run` is the main thread and decides; `work` builds, starts and waits in threads of its own, and puts what
becomes of that (`life`) into its queue. `client` asks Docker and comes back, `commands` has what goes on
beside the containers, `followers` reads their output, `events` hears of their ends, `teller` tells people.
"""
