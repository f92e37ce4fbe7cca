"""What shows on a real engine that a field is honoured, and instances of the values that a verdict depends on.

A proof is `module::function` of tests/scenarios. It stands for the field it is written beside and for all that the
field consists of, unless one of these has its own.
"""

from __future__ import annotations

from typing import Any

AWAITED: frozenset[str] = frozenset(
    {
        "volumes[].dockerVolumeConfiguration",
        *(
            f"containerDefinitions[].{path}"
            for path in (
                "links",
                "volumesFrom",
                "linuxParameters",
                "startTimeout",
                "versionConsistency",
                "privileged",
                "dnsServers",
                "dnsSearchDomains",
                "dockerSecurityOptions",
                "interactive",
                "pseudoTerminal",
                "logConfiguration",
                "systemControls",
            )
        ),
    }
)
"""Fields, with all that they consist of, whose proof is still to be written."""

_FIELDS = "test_definition_fields::"
_TASKS = "test_tasks::"
_ENVIRONMENT = (_TASKS + "test_environment_command_and_overrides",)
_LINUX = (_TASKS + "test_privileges_and_linux_parameters_reach_the_engine",)
_SHARED = ("test_networks::test_the_containers_of_a_task_see_each_others_processes",)
_SECRETS = ("test_secrets::test_a_secret_gets_into_its_container_and_nowhere_else",)
_VOLUMES = (_TASKS + "test_host_and_docker_volumes",)
_CGROUP = (_FIELDS + "test_a_container_is_limited_by_its_cgroup",)
_TASK_SIZE = (_FIELDS + "test_the_size_of_a_task_limits_its_container",)
_OVERRIDDEN = (_FIELDS + "test_each_member_of_an_override_is_in_place_of_the_definitions",)
_GPUS = (_FIELDS + "test_a_gpu_is_asked_of_the_engine",)

_TASK: dict[str, tuple[str, ...]] = {
    "family": (_TASKS + "test_a_file_is_registered_once_and_again_when_it_changed",),
    "networkMode": (
        _TASKS + "test_network_modes",
        _TASKS + "test_host_mode_shares_the_hosts_network",
        "test_networks::test_the_containers_of_a_task_share_one_network_interface",
    ),
    "volumes[].name": _VOLUMES,
    "volumes[].host.sourcePath": _VOLUMES,
    "placementConstraints": (_FIELDS + "test_the_constraints_of_a_definition_say_where_its_tasks_may_be",),
    "requiresCompatibilities": (
        _FIELDS + "test_a_definition_for_a_launch_type",
        "test_networks::test_fargate_runs_on_any_host",
    ),
    "cpu": _TASK_SIZE,
    "memory": _TASK_SIZE,
    "tags": (_FIELDS + "test_the_tags_of_a_definition_are_its_own_and_may_be_passed_on",),
    "pidMode": _SHARED,
    "ipcMode": (*_SHARED, _FIELDS + "test_memory_that_containers_share_is_as_large_as_one_of_them_asks_for"),
    "runtimePlatform": (_FIELDS + "test_a_definition_for_another_platform_finds_no_host",),
}

_CONTAINER: dict[str, tuple[str, ...]] = {
    "name": (_TASKS + "test_a_task_has_the_agents_labels",),
    "image": ("test_failures::test_an_image_that_does_not_exist",),
    "repositoryCredentials": (_FIELDS + "test_an_image_of_a_registry_that_asks_who_is_there",),
    "cpu": _CGROUP,
    "memory": (*_CGROUP, _TASKS + "test_out_of_memory_is_137_and_said"),
    "memoryReservation": _CGROUP,
    "portMappings": (
        _FIELDS + "test_ports_that_are_fixed_chosen_and_of_udp",
        _TASKS + "test_dynamic_ports_are_published_and_shown",
    ),
    "essential": (_FIELDS + "test_the_end_of_a_container_ends_its_task_if_it_is_essential",),
    "restartPolicy": ("test_restart::test_a_container_comes_back_and_its_task_goes_on",),
    "restartPolicy.ignoredExitCodes": (_FIELDS + "test_an_exit_code_that_is_ignored_is_no_reason_to_restart",),
    "entryPoint": _ENVIRONMENT,
    "command": _ENVIRONMENT,
    "environment": _ENVIRONMENT,
    "environmentFiles": _SECRETS,
    "environmentFiles[].value": _SECRETS,
    "mountPoints": _VOLUMES,
    "secrets": _SECRETS,
    "dependsOn": (_TASKS + "test_a_pod_starts_in_the_order_of_its_dependencies",),
    "stopTimeout": (_TASKS + "test_a_stop_is_sigterm_then_sigkill_after_stop_timeout",),
    "hostname": _LINUX,
    "user": _LINUX,
    "workingDirectory": _LINUX,
    "disableNetworking": (_FIELDS + "test_a_container_without_a_network",),
    "readonlyRootFilesystem": _LINUX,
    "extraHosts": _LINUX,
    "linuxParameters.tmpfs": _LINUX,
    "dockerLabels": _LINUX,
    "ulimits": _LINUX,
    "healthCheck": (_FIELDS + "test_each_member_of_a_health_check",),
    "resourceRequirements": _GPUS,
}

_OVERRIDE: dict[str, tuple[str, ...]] = {
    "cpu": _TASK_SIZE,
    "memory": _TASK_SIZE,
    "containerOverrides": _OVERRIDDEN,
    "containerOverrides[].resourceRequirements": _GPUS,
}

PROOFS: dict[str, tuple[str, ...]] = {
    **_TASK,
    **{f"containerDefinitions[].{path}": proofs for path, proofs in _CONTAINER.items()},
    **{f"overrides.{path}": proofs for path, proofs in _OVERRIDE.items()},
}

_ONE: dict[str, Any] = {"containerDefinitions": [{"name": "a"}]}
_TWO: dict[str, Any] = {"containerDefinitions": [{"name": "a"}, {"name": "b"}]}
_SHM: dict[str, Any] = {"containerDefinitions": [{"name": "a", "linuxParameters": {"sharedMemorySize": 64}}]}
_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:a"
_LOG_SECRETS = [{"name": "splunk-token", "valueFrom": "a"}]

_CREDENTIALS: dict[str, dict[str, Any]] = {
    "the name or the ARN of a secret or parameter": {"credentialsParameter": _SECRET},
    "another ARN": {"credentialsParameter": "arn:aws:s3:::a/b"},
}
_VALUE_FROM: dict[str, dict[str, Any]] = {
    "the name or the ARN of a secret or parameter": {"name": "A", "valueFrom": _SECRET},
    "another ARN": {"name": "A", "valueFrom": "arn:aws:s3:::a/b"},
}
_FILES: dict[str, dict[str, Any]] = {
    "the ARN of a file in S3": {"value": "arn:aws:s3:::a/b.env", "type": "s3"},
    "anything else": {"value": "b.env", "type": "s3"},
}


def _resources(**fields: Any) -> dict[str, Any]:
    return {"resourceRequirements": [{"type": "GPU", "value": "1", **fields}]}


_TYPES = {f"`{kind}`": _resources(type=kind) for kind in ("GPU", "InferenceAccelerator", "NeuronDevice")}
_VALUES = {"a number from 1": _resources(), "anything else": _resources(value="none")}
_SHARING = {"": _resources(sharingStrategy={"nvidiaMps": {"memory": 1}})}
_RESOURCES: dict[str, dict[str, dict[str, Any]]] = {
    "type": _TYPES,
    "value": _VALUES,
    "sharingStrategy.nvidiaMps.memory": _SHARING,
    "sharingStrategy.nvidiaMps.maxComputePercent": _SHARING,
}

SAMPLES: dict[str, dict[str, dict[str, Any]]] = {
    "ipcMode": {
        "`task`": {"ipcMode": "task"},
        "`host`": {"ipcMode": "host"},
        "`none`": {"ipcMode": "none"},
        "`host`, `none` beside a sharedMemorySize": {"ipcMode": "host", **_SHM},
    },
    "cpu": {"one container": {"cpu": "256", **_ONE}, "several containers": {"cpu": "256", **_TWO}},
    "memory": {"one container": {"memory": "256", **_ONE}, "several containers": {"memory": "256", **_TWO}},
    "volumes[].host.sourcePath": {
        "a path": {"host": {"sourcePath": "/srv"}},
        "none in `host`: a volume that goes with the task": {"host": {}},
    },
    "containerDefinitions[].repositoryCredentials.credentialsParameter": _CREDENTIALS,
    "containerDefinitions[].secrets[].valueFrom": _VALUE_FROM,
    "containerDefinitions[].environmentFiles[].value": _FILES,
    "overrides.containerOverrides[].environmentFiles[].value": _FILES,
    "containerDefinitions[].disableNetworking": {
        "`true`": {"disableNetworking": True},
        "`true` beside links or portMappings": {"disableNetworking": True, "links": ["a"]},
    },
    "containerDefinitions[].dockerSecurityOptions": {
        "`credentialspec:…`": {"dockerSecurityOptions": ["credentialspec:file://a"]},
        "any other": {"dockerSecurityOptions": ["no-new-privileges"]},
    },
    "containerDefinitions[].linuxParameters.swappiness": {
        "beside maxSwap": {"swappiness": 1, "maxSwap": 1},
        "without": {"swappiness": 1},
    },
    "containerDefinitions[].logConfiguration.options": {
        "`awslogs`": {"logDriver": "awslogs", "options": {"awslogs-group": "a"}},
        "`awsfirelens`": {"logDriver": "awsfirelens", "options": {"Name": "a"}},
        "any other driver": {"logDriver": "syslog", "options": {"tag": "a"}},
    },
    **{
        f"containerDefinitions[].logConfiguration.secretOptions[].{field}": {
            "`awslogs`": {"logDriver": "awslogs", "secretOptions": _LOG_SECRETS},
            "any other driver": {"logDriver": "splunk", "secretOptions": _LOG_SECRETS},
        }
        for field in ("name", "valueFrom")
    },
    **{f"containerDefinitions[].resourceRequirements[].{path}": cases for path, cases in _RESOURCES.items()},
    **{f"overrides.containerOverrides[].resourceRequirements[].{path}": cases for path, cases in _RESOURCES.items()},
}
"""Path of a field → what is said of a case → the record that the judged field is in, as it is on the wire."""
