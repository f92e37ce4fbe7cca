"""Every command, on one page: its name, what it does in one line, and where it lives.

Nothing is imported to list them. An ECS action needs its room only: the options come from the request record
`ecsctl.model.api.<room>.<Action>Request`, the work is `ecsctl.operations.<room>.<action>`. `target` names the
`module:object` of a command that does more.
"""

from __future__ import annotations

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One command. `own` verbs are not AWS's: they have exit codes of their own."""

    name: str
    help: str
    room: str = ""
    target: str = ""
    own: bool = False

    @property
    def action(self) -> str:
        """The ECS action's name, e.g. `RunTask`."""
        return self.name.title().replace("-", "")


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "See and repair": (
        Entry("ps", "Show the tasks of a cluster.", target="ecsctl.cli.ps:command", own=True),
        Entry("stats", "Show what is reserved, and what is used.", target="ecsctl.cli.stats:command", own=True),
        Entry("logs", "Print the output of a task's containers.", target="ecsctl.cli.logs:command", own=True),
        Entry("explain", "Say why a task or a service is as it is.", target="ecsctl.cli.explain:command", own=True),
        Entry("simulate", "Say how tasks would fit on hosts.", target="ecsctl.cli.simulate:command", own=True),
        Entry("events", "Print what happened, to what, and why.", target="ecsctl.cli.events:command", own=True),
        Entry("check", "Say what of a task definition is honoured.", target="ecsctl.cli.check:command", own=True),
        Entry("reconcile", "Make what runs what should run.", target="ecsctl.cli.reconcile:Reconcile", own=True),
        Entry(
            "schedule",
            "Let the machine run reconcile, by systemd or cron.",
            target="ecsctl.cli.schedule.command:Schedule",
            own=True,
        ),
    ),
    "Keep the state": (
        Entry("recover", "Rebuild a lost state from the hosts.", target="ecsctl.cli.recover:command", own=True),
        Entry("state", "Back the state up, and put it back; check it.", target="ecsctl.cli.state:State", own=True),
    ),
    "Release": (
        Entry("apply", "Make the state what files say.", target="ecsctl.cli.apply:command", own=True),
        Entry("deploy", "Roll out an image, and back if it fails.", target="ecsctl.cli.deploy:command", own=True),
        Entry("rollback", "Roll the last deployment back.", target="ecsctl.cli.rollback:command", own=True),
    ),
    "Tasks": (
        Entry("run-task", "Place and start tasks.", "tasks", "ecsctl.cli.run_task:RunTask"),
        Entry("start-task", "Start a task on given container instances.", "tasks"),
        Entry("stop-task", "Stop a task.", "tasks"),
        Entry("execute-command", "Run a command in a container.", "exec", "ecsctl.cli.execute_command:ExecuteCommand"),
        Entry("describe-tasks", "Describe tasks.", "tasks"),
        Entry("list-tasks", "List tasks.", "tasks"),
        Entry("wait", "Wait until tasks run or have stopped, services are stable.", "tasks", "ecsctl.cli.wait:Wait"),
    ),
    "Scheduled tasks": (
        Entry(
            "schedule-task",
            "Run tasks at certain times, or regularly.",
            "schedules",
            "ecsctl.cli.schedule_task:ScheduleTask",
            own=True,
        ),
        Entry(
            "scheduled-tasks",
            "Show when scheduled tasks run next, and how it went.",
            target="ecsctl.cli.scheduled_tasks:command",
            own=True,
        ),
        Entry("unschedule-task", "Delete a schedule.", target="ecsctl.cli.unschedule_task:command", own=True),
    ),
    "Services": (
        Entry("create-service", "Keep a number of tasks running.", "services"),
        Entry("update-service", "Change a service, or what it runs.", "services"),
        Entry("delete-service", "Delete a service.", "services"),
        Entry("describe-services", "Describe services.", "services"),
        Entry("list-services", "List services.", "services"),
        Entry("list-services-by-namespace", "List the services of a namespace.", "namespaces"),
        Entry("list-service-deployments", "List the deployments of a service.", "service_deployments"),
        Entry("describe-service-deployments", "Describe deployments of services.", "service_deployments"),
        Entry("stop-service-deployment", "Roll a deployment back, or stop it.", "service_deployments"),
        Entry("continue-service-deployment", "Continue a paused deployment.", "service_deployments"),
        Entry("describe-service-revisions", "Describe what was deployed.", "service_deployments"),
        Entry("create-task-set", "Add a task set to a service that you deploy.", "task_sets"),
        Entry("update-task-set", "Change the scale of a task set.", "task_sets"),
        Entry("update-service-primary-task-set", "Say which task set serves production.", "task_sets"),
        Entry("delete-task-set", "Stop the tasks of a task set, and delete it.", "task_sets"),
        Entry("describe-task-sets", "Describe the task sets of a service.", "task_sets"),
        Entry("update-task-protection", "Protect tasks from scale-in, or no longer.", "task_protection"),
        Entry("get-task-protection", "Show the scale-in protection of tasks.", "task_protection"),
    ),
    "Task definitions": (
        Entry(
            "register-task-definition",
            "Register a revision of a task definition.",
            "task_definitions",
            "ecsctl.cli.register_task_definition:RegisterTaskDefinition",
        ),
        Entry("describe-task-definition", "Describe a task definition.", "task_definitions"),
        Entry("list-task-definitions", "List task definitions.", "task_definitions"),
        Entry("list-task-definition-families", "List task definition families.", "task_definitions"),
        Entry("deregister-task-definition", "Make a revision INACTIVE.", "task_definitions"),
        Entry("delete-task-definitions", "Delete INACTIVE revisions.", "task_definitions"),
    ),
    "Hosts": (
        Entry("host", "Add hosts, look after them, take them away.", target="ecsctl.cli.host.command:Host", own=True),
    ),
    "Container instances": (
        Entry(
            "register-container-instance",
            "Add a Docker host to a cluster.",
            "container_instances",
            "ecsctl.cli.register_container_instance:RegisterContainerInstance",
        ),
        Entry("describe-container-instances", "Describe container instances.", "container_instances"),
        Entry("list-container-instances", "List container instances.", "container_instances"),
        Entry("deregister-container-instance", "Take a host out of its cluster.", "container_instances"),
        Entry(
            "update-container-instances-state",
            "Make hosts ACTIVE or DRAINING.",
            "container_instances",
            "ecsctl.cli.update_container_instances_state:UpdateContainerInstancesState",
        ),
        Entry("put-attributes", "Set attributes of container instances.", "attributes"),
        Entry("delete-attributes", "Delete attributes of container instances.", "attributes"),
        Entry("list-attributes", "List attributes of container instances.", "attributes"),
    ),
    "Images": (Entry("image", "Send images to hosts without a registry.", target="ecsctl.cli.image:Image", own=True),),
    "Secrets": (
        Entry("secret", "Keep the values that task definitions refer to.", target="ecsctl.cli.secret:Secret", own=True),
    ),
    "Clusters": (
        Entry("create-cluster", "Create a cluster.", "clusters"),
        Entry("describe-clusters", "Describe clusters.", "clusters"),
        Entry("list-clusters", "List clusters.", "clusters"),
        Entry("update-cluster", "Change settings and configuration.", "clusters"),
        Entry("update-cluster-settings", "Change settings.", "clusters"),
        Entry("delete-cluster", "Delete a cluster.", "clusters"),
    ),
    "Capacity providers": (
        Entry(
            "put-cluster-capacity-providers",
            "Set those of a cluster, and its default.",
            "capacity_providers",
        ),
        Entry("create-capacity-provider", "Create a group of hosts for tasks to go to.", "capacity_providers"),
        Entry("describe-capacity-providers", "Describe capacity providers.", "capacity_providers"),
        Entry("update-capacity-provider", "Change a capacity provider.", "capacity_providers"),
        Entry("delete-capacity-provider", "Delete a capacity provider.", "capacity_providers"),
    ),
    "Regions": (
        Entry("describe-regions", "Describe the regions of this state.", "regions", "ecsctl.cli.regions:OfEc2"),
        Entry(
            "describe-availability-zones",
            "Describe the zones of a region.",
            "regions",
            "ecsctl.cli.regions:OfEc2",
        ),
    ),
    "Tags": (
        Entry("tag-resource", "Set tags of a resource.", "tags"),
        Entry("untag-resource", "Delete tags of a resource.", "tags"),
        Entry("list-tags-for-resource", "List the tags of a resource.", "tags"),
    ),
}

COMMANDS = {entry.name: entry for entries in SECTIONS.values() for entry in entries}

WAITERS = (
    Entry("tasks-running", "Wait until the tasks are RUNNING.", "tasks"),
    Entry("tasks-stopped", "Wait until the tasks are STOPPED.", "tasks"),
    Entry("services-stable", "Wait until the services have one deployment and all its tasks.", "services"),
    Entry("services-inactive", "Wait until the services are INACTIVE.", "services"),
)

SCHEDULE = (
    Entry("install", "Let the machine run `ecsctl reconcile` for this state."),
    Entry("remove", "Take away what install made."),
    Entry("show", "Show what is scheduled, when it runs next, and how the last run ended."),
)

HOST = (
    Entry("add", "Check hosts, and make them container instances."),
    Entry("ls", "Show the hosts, and what is reserved of them."),
    Entry("check", "Say what is wrong with hosts, and what to do."),
    Entry("rm", "Take hosts away, when their tasks are gone."),
    Entry("fence", "Confirm that a host which does not answer is down."),
    Entry("join-swarm", "Make hosts one swarm, with networks of all of them."),
)
"""Each lives in a module of ecsctl.cli.host that is called as it is, with `_` for `-`."""

IMAGE = (
    Entry("push", "Send an image to hosts, only the layers that they lack."),
    Entry("ls", "Show which host has which image."),
)

SECRET = (
    Entry("put", "Give a secret a value."),
    Entry("get", "Print the value of a secret."),
    Entry("list", "List the secrets."),
    Entry("delete", "Delete a secret."),
    Entry("import", "Put every variable of an environment file."),
    Entry("rotate", "Seal all secrets with a new key."),
)

STATE = (
    Entry("backup", "Write a copy of the state, while it is in use."),
    Entry("restore", "Put a backup in the place of the state."),
    Entry("check", "Say what is wrong with the state."),
    Entry("upgrade", "Bring a state in PostgreSQL to this ecsctl's schema."),
    Entry("export", "Print what is wanted: clusters, hosts, services, …"),
    Entry("import", "Make the state what an export says."),
)

_WITHOUT = """
    associate-gateway-with-cluster create-daemon
    create-express-gateway-service create-gateway delete-account-setting
    delete-daemon delete-daemon-task-definition delete-express-gateway-service
    delete-gateway describe-daemon
    describe-daemon-deployments describe-daemon-revisions describe-daemon-task-definition
    describe-express-gateway-service describe-gateway describe-gateway-resources describe-gateway-route
    disassociate-gateway-from-cluster discover-poll-endpoint
    list-account-settings list-daemon-deployments list-daemon-task-definitions list-daemons
    list-gateway-cluster-associations list-gateway-routes list-gateways
    put-account-setting put-account-setting-default
    register-daemon-task-definition
    submit-attachment-state-changes submit-container-state-change submit-task-state-change
    update-container-agent update-daemon update-express-gateway-service
    update-gateway
"""
NOT_YET = frozenset(_WITHOUT.split())
"""Commands of `aws ecs` that ecsctl does not have."""
