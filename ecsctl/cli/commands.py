"""Every command, on one page: its name, what it does in one line, and where it lives.

Nothing is imported to list them. An ECS action needs no more than that: its options come from its request record, and
`ecsctl.operations.actions` knows what does it. `target` names the `module:object` of a command that does more.
"""

from __future__ import annotations

from msgspec import Struct


def action_of(name: str) -> str:
    """The action of a command's name: `run-task` → `RunTask`."""
    return name.title().replace("-", "")


class Entry(Struct, frozen=True):
    """One command. `own` verbs are not AWS's: they have exit codes of their own."""

    name: str
    help: str
    target: str = ""
    own: bool = False

    @property
    def action(self) -> str:
        """The ECS action's name, e.g. `RunTask`."""
        return action_of(self.name)


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
        Entry("serve", "Answer SDKs: the ECS API on a socket.", target="ecsctl.cli.serve:Serve", own=True),
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
        Entry("run-task", "Place and start tasks.", target="ecsctl.cli.run_task:RunTask"),
        Entry("start-task", "Start a task on given container instances."),
        Entry("stop-task", "Stop a task."),
        Entry("execute-command", "Run a command in a container.", target="ecsctl.cli.execute_command:ExecuteCommand"),
        Entry("describe-tasks", "Describe tasks."),
        Entry("list-tasks", "List tasks."),
        Entry("wait", "Wait until tasks run or have stopped, services are stable.", target="ecsctl.cli.wait:Wait"),
    ),
    "Scheduled tasks": (
        Entry(
            "schedule-task",
            "Run tasks at certain times, or regularly.",
            target="ecsctl.cli.schedule_task:ScheduleTask",
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
        Entry("create-service", "Keep a number of tasks running."),
        Entry("update-service", "Change a service, or what it runs."),
        Entry("delete-service", "Delete a service."),
        Entry("describe-services", "Describe services."),
        Entry("list-services", "List services."),
        Entry("list-services-by-namespace", "List the services of a namespace."),
        Entry("list-service-deployments", "List the deployments of a service."),
        Entry("describe-service-deployments", "Describe deployments of services."),
        Entry("stop-service-deployment", "Roll a deployment back, or stop it."),
        Entry("continue-service-deployment", "Continue a paused deployment."),
        Entry("describe-service-revisions", "Describe what was deployed."),
        Entry("create-task-set", "Add a task set to a service that you deploy."),
        Entry("update-task-set", "Change the scale of a task set."),
        Entry("update-service-primary-task-set", "Say which task set serves production."),
        Entry("delete-task-set", "Stop the tasks of a task set, and delete it."),
        Entry("describe-task-sets", "Describe the task sets of a service."),
        Entry("update-task-protection", "Protect tasks from scale-in, or no longer."),
        Entry("get-task-protection", "Show the scale-in protection of tasks."),
    ),
    "Task definitions": (
        Entry(
            "register-task-definition",
            "Register a revision of a task definition.",
            target="ecsctl.cli.register_task_definition:RegisterTaskDefinition",
        ),
        Entry("describe-task-definition", "Describe a task definition."),
        Entry("list-task-definitions", "List task definitions."),
        Entry("list-task-definition-families", "List task definition families."),
        Entry("deregister-task-definition", "Make a revision INACTIVE."),
        Entry("delete-task-definitions", "Delete INACTIVE revisions."),
    ),
    "Hosts": (
        Entry("host", "Add hosts, look after them, take them away.", target="ecsctl.cli.host.command:Host", own=True),
    ),
    "Container instances": (
        Entry(
            "register-container-instance",
            "Add a Docker host to a cluster.",
            target="ecsctl.cli.register_container_instance:RegisterContainerInstance",
        ),
        Entry("describe-container-instances", "Describe container instances."),
        Entry("list-container-instances", "List container instances."),
        Entry("deregister-container-instance", "Take a host out of its cluster."),
        Entry(
            "update-container-instances-state",
            "Make hosts ACTIVE or DRAINING.",
            target="ecsctl.cli.update_container_instances_state:UpdateContainerInstancesState",
        ),
        Entry("put-attributes", "Set attributes of container instances."),
        Entry("delete-attributes", "Delete attributes of container instances."),
        Entry("list-attributes", "List attributes of container instances."),
    ),
    "Images": (Entry("image", "Send images to hosts without a registry.", target="ecsctl.cli.image:Image", own=True),),
    "Secrets": (
        Entry("secret", "Keep the values that task definitions refer to.", target="ecsctl.cli.secret:Secret", own=True),
    ),
    "Access": (
        Entry("iam", "Say who may do what over `serve`: users, keys, policies.", target="ecsctl.cli.iam:Iam"),
        Entry("assume-role", "Get temporary credentials of a role.", target="ecsctl.cli.iam:OfSts"),
    ),
    "Clusters": (
        Entry("create-cluster", "Create a cluster."),
        Entry("describe-clusters", "Describe clusters."),
        Entry("list-clusters", "List clusters."),
        Entry("update-cluster", "Change settings and configuration."),
        Entry("update-cluster-settings", "Change settings."),
        Entry("delete-cluster", "Delete a cluster."),
    ),
    "Capacity providers": (
        Entry(
            "put-cluster-capacity-providers",
            "Set those of a cluster, and its default.",
        ),
        Entry("create-capacity-provider", "Create a group of hosts for tasks to go to."),
        Entry("describe-capacity-providers", "Describe capacity providers."),
        Entry("update-capacity-provider", "Change a capacity provider."),
        Entry("delete-capacity-provider", "Delete a capacity provider."),
    ),
    "Regions": (
        Entry("describe-regions", "Describe the regions of this state.", target="ecsctl.cli.regions:OfEc2"),
        Entry(
            "describe-availability-zones",
            "Describe the zones of a region.",
            target="ecsctl.cli.regions:OfEc2",
        ),
    ),
    "Account settings": (
        Entry("put-account-setting", "Set an account setting of a principal."),
        Entry("put-account-setting-default", "Set the default of an account setting."),
        Entry("list-account-settings", "List account settings."),
        Entry("delete-account-setting", "Take an account setting back."),
    ),
    "For the ECS agent": (
        Entry("submit-task-state-change", "Have a task looked at."),
        Entry("submit-container-state-change", "Have a container's task looked at."),
        Entry("update-container-agent", "Say that there is no agent to update."),
    ),
    "Tags": (
        Entry("tag-resource", "Set tags of a resource."),
        Entry("untag-resource", "Delete tags of a resource."),
        Entry("list-tags-for-resource", "List the tags of a resource."),
    ),
}

COMMANDS = {entry.name: entry for entries in SECTIONS.values() for entry in entries}

WAITERS = (
    Entry("tasks-running", "Wait until the tasks are RUNNING."),
    Entry("tasks-stopped", "Wait until the tasks are STOPPED."),
    Entry("services-stable", "Wait until the services have one deployment and all its tasks."),
    Entry("services-inactive", "Wait until the services are INACTIVE."),
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

IAM = (
    Entry("create-user", "Create a user."),
    Entry("get-user", "Show a user."),
    Entry("list-users", "List users."),
    Entry("delete-user", "Delete a user that has nothing any more."),
    Entry("create-access-key", "Make an access key; its secret is shown this once."),
    Entry("list-access-keys", "List the access keys of a user."),
    Entry("update-access-key", "Make an access key Active or Inactive."),
    Entry("delete-access-key", "Delete an access key."),
    Entry("create-group", "Create a group."),
    Entry("get-group", "Show a group, and who is in it."),
    Entry("list-groups", "List groups."),
    Entry("delete-group", "Delete a group that nobody is in."),
    Entry("add-user-to-group", "Put a user into a group."),
    Entry("remove-user-from-group", "Take a user out of a group."),
    Entry("list-groups-for-user", "List the groups of a user."),
    Entry("create-role", "Create a role."),
    Entry("get-role", "Show a role."),
    Entry("list-roles", "List roles."),
    Entry("delete-role", "Delete a role that has no policies."),
    Entry("update-assume-role-policy", "Say who may assume a role."),
    Entry("put-user-policy", "Give a user a policy of its own."),
    Entry("get-user-policy", "Show a policy of a user's own."),
    Entry("list-user-policies", "List the policies of a user's own."),
    Entry("delete-user-policy", "Delete a policy of a user's own."),
    Entry("put-group-policy", "Give a group a policy of its own."),
    Entry("get-group-policy", "Show a policy of a group's own."),
    Entry("list-group-policies", "List the policies of a group's own."),
    Entry("delete-group-policy", "Delete a policy of a group's own."),
    Entry("put-role-policy", "Give a role a policy of its own."),
    Entry("get-role-policy", "Show a policy of a role's own."),
    Entry("list-role-policies", "List the policies of a role's own."),
    Entry("delete-role-policy", "Delete a policy of a role's own."),
    Entry("create-policy", "Create a managed policy."),
    Entry("get-policy", "Show a managed policy."),
    Entry("list-policies", "List managed policies."),
    Entry("delete-policy", "Delete a managed policy that nobody has."),
    Entry("create-policy-version", "Add a version to a managed policy."),
    Entry("get-policy-version", "Show what a version of a policy says."),
    Entry("list-policy-versions", "List the versions of a policy."),
    Entry("delete-policy-version", "Delete a version that does not count."),
    Entry("set-default-policy-version", "Say which version counts."),
    Entry("attach-user-policy", "Attach a managed policy to a user."),
    Entry("detach-user-policy", "Detach a managed policy from a user."),
    Entry("list-attached-user-policies", "List the managed policies of a user."),
    Entry("attach-group-policy", "Attach a managed policy to a group."),
    Entry("detach-group-policy", "Detach a managed policy from a group."),
    Entry("list-attached-group-policies", "List the managed policies of a group."),
    Entry("attach-role-policy", "Attach a managed policy to a role."),
    Entry("detach-role-policy", "Detach a managed policy from a role."),
    Entry("list-attached-role-policies", "List the managed policies of a role."),
    Entry("put-user-permissions-boundary", "Say what a user may do at most."),
    Entry("delete-user-permissions-boundary", "Take the boundary of a user away."),
    Entry("put-role-permissions-boundary", "Say what a role may do at most."),
    Entry("delete-role-permissions-boundary", "Take the boundary of a role away."),
    Entry("simulate-principal-policy", "Say whether policies allow an action."),
)

STATE = (
    Entry("backup", "Write a copy of the state, while it is in use."),
    Entry("restore", "Put a backup in the place of the state."),
    Entry("check", "Say what is wrong with the state."),
    Entry("upgrade", "Bring a state in PostgreSQL to this ecsctl's schema."),
    Entry("export", "Print what is wanted: clusters, hosts, services, …"),
    Entry("import", "Make the state what an export says."),
)
