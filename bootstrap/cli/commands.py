"""The verbs and what each does, in the order of a day's work; each lives in a file of its name."""

COMMANDS = {
    "init": "Create or complete the manifest, and render everything.",
    "render": "Write every generated file.",
    "service": "Add services to the project.",
    "up": "Run the services and the telemetry collector.",
    "down": "Stop what runs.",
    "restart": "Start single services again.",
    "status": "Show what runs.",
    "logs": "Show what the services wrote.",
    "compose": "Run a command of Docker Compose on what `up` runs.",
    "secrets": "Keep, show, check, copy and scan for the project's secrets.",
    "env": "Show one service's environment, and where each value comes from.",
    "run": "Run a command with one service's environment, and no other's.",
    "observe": "Run the telemetry collector alone.",
    "verify": "Send marked requests, and read back what arrived.",
    "provision": "Make, compare and remove what AWS and Honeycomb need for this project.",
    "tag": "Make weekly milestones as git tags, and keep them right.",
    "completion": "Print what makes a shell complete commands and names.",
    "doctor": "Check this machine and this project, and say what to type next.",
}

#: the verbs of `bootstrap service`
SERVICE = {"add": "Add a service to the manifest, with files of its own if you like."}

#: the verbs of `bootstrap provision`
PROVISION = {
    "plan": "Show what would be made or changed, field by field.",
    "apply": "Make it so.",
    "destroy": "Remove what was made from this repository, by you.",
}

#: the verbs of `bootstrap secrets`
SECRETS = {
    "list": "Show every secret: who sees it, where it is, and which value counts.",
    "set": "Ask for values, and keep them.",
    "get": "Print one value.",
    "unset": "Forget values.",
    "check": "Say which are missing, and which cannot be right.",
    "import": "Keep the values of a file or of this shell.",
    "export": "Print values for another program.",
    "copy": "Copy values from one store to another.",
    "use": "Choose the store that keeps this repository's secrets.",
    "scan": "Look for secrets in what git has, or is about to get.",
    "hook": "Scan before every commit.",
}

#: the verbs of `bootstrap tag`
TAG = {
    "start": "Tag where a week begins.",
    "finish": "Tag where a week is finished.",
    "list": "Show the milestones, and where each exists.",
    "show": "Print what a week brought, ready for a journal.",
    "rename": "Give a tag another name, here and on the remote in one step.",
    "delete": "Delete a tag, here and on the remote in one step.",
    "check": "Find what is wrong with the tags, and mend it.",
    "sync": "Take over what the remote has, and lose nothing of what is here.",
}
