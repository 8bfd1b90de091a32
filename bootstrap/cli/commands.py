"""The verbs and what each does, in the order of a day's work; each lives in a file of its name."""

COMMANDS = {
    "init": "Create or complete the manifest, and render everything.",
    "render": "Write every generated file.",
    "up": "Run the services and the telemetry collector.",
    "down": "Stop what runs.",
    "status": "Show what runs.",
    "logs": "Show what the services wrote.",
    "env": "Show one service's environment, and where each value comes from.",
    "run": "Run a command with one service's environment, and no other's.",
    "observe": "Run the telemetry collector alone.",
    "doctor": "Check this machine and this project, and say what to type next.",
}
