"""The ground a drill runs on: the workload's own gates behind the real listener, over a throw-away data
directory, with a compromised model and tools that change nothing."""
