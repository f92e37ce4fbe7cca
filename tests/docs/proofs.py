"""What shows on a real engine that a field is honoured, and instances of the values that a verdict depends on.

A proof is `module::function` of tests/scenarios. It stands for the field it is written beside and for all that the
field consists of, unless one of these has its own.
"""

from __future__ import annotations

from typing import Any

from ecsctl.scheduler.field_support import AWSLOGS

_FIELDS = "test_definition_fields::"
_TASKS = "test_tasks::"
_ENVIRONMENT = (_TASKS + "test_environment_command_and_overrides",)
_LABELS = (_TASKS + "test_privileges_and_linux_parameters_reach_the_engine",)
_SEEN = ("test_fields::test_a_container_sees_what_its_definition_says",)
_SWAP = ("test_fields::test_memory_and_swap_reach_the_engine",)
_TERMINAL = ("test_fields::test_a_terminal_and_an_open_input",)
_STORAGE = "test_storage::"
_FILE_SYSTEM = (_STORAGE + "test_a_directory_or_a_volume_stands_for_a_file_system",)
_EFS = (
    *_FILE_SYSTEM,
    _STORAGE + "test_an_export_is_mounted_by_the_engine_and_one_that_is_silent_fails_the_task",
)
_LAUNCH = (_STORAGE + "test_a_volume_configured_at_launch_is_the_tasks_own",)
_SIZE = (_STORAGE + "test_a_size_that_the_engine_cannot_limit_is_refused_unless_it_is_only_recorded",)
_ROUTER = ("test_log_router::test_what_containers_print_gets_to_the_router_under_their_tag",)
_DRIVERS = ("test_fields::test_log_drivers_get_their_options",)
_SHARED = ("test_networks::test_the_containers_of_a_task_see_each_others_processes",)
_SECRETS = ("test_secrets::test_a_secret_gets_into_its_container_and_nowhere_else",)
_LOG_SECRET = ("test_secrets::test_an_option_of_a_log_driver_comes_from_a_secret",)
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
    "volumes[].host.sourcePath": (*_VOLUMES, _STORAGE + "test_a_path_that_is_not_there_is_not_made"),
    "volumes[].dockerVolumeConfiguration": (
        _STORAGE + "test_a_shared_volume_is_made_once_and_outlives_its_tasks",
        _STORAGE + "test_a_volume_of_a_task_is_shared_by_its_containers_and_goes_with_it",
    ),
    "volumes[].dockerVolumeConfiguration.autoprovision": (
        _STORAGE + "test_a_volume_that_is_not_provisioned_has_to_be_there",
    ),
    "volumes[].efsVolumeConfiguration.fileSystemId": _EFS,
    "volumes[].efsVolumeConfiguration": _EFS,
    "volumes[].s3filesVolumeConfiguration": _FILE_SYSTEM,
    "volumes[].fsxWindowsFileServerVolumeConfiguration": _FILE_SYSTEM,
    "volumes[].efsVolumeConfiguration.authorizationConfig.accessPointId": _FILE_SYSTEM,
    "volumes[].configuredAtLaunch": _LAUNCH,
    "ephemeralStorage": _SIZE,
    "placementConstraints": (_FIELDS + "test_the_constraints_of_a_definition_say_where_its_tasks_may_be",),
    "requiresCompatibilities": (
        _FIELDS + "test_a_definition_for_a_launch_type",
        "test_networks::test_fargate_runs_on_any_host",
    ),
    "cpu": _TASK_SIZE,
    "memory": _TASK_SIZE,
    "tags": (_FIELDS + "test_the_tags_of_a_definition_are_its_own_and_may_be_passed_on",),
    "pidMode": (*_SHARED, "test_fields::test_namespaces_of_the_host"),
    "ipcMode": (
        *_SHARED,
        _FIELDS + "test_memory_that_containers_share_is_as_large_as_one_of_them_asks_for",
        "test_fields::test_namespaces_of_the_host",
        "test_fields::test_without_ipc_there_is_no_shared_memory",
    ),
    "runtimePlatform": (_FIELDS + "test_a_definition_for_another_platform_finds_no_host",),
}

_CONTAINER: dict[str, tuple[str, ...]] = {
    "name": (_TASKS + "test_a_task_has_the_agents_labels",),
    "image": ("test_failures::test_an_image_that_does_not_exist",),
    "repositoryCredentials": (
        "test_images::test_a_registry_that_asks_who_it_is_gets_the_log_in_of_the_definition_or_the_users",
    ),
    "versionConsistency": ("test_images::test_what_a_service_runs_stays_the_same_while_the_tag_moves",),
    "cpu": _CGROUP,
    "memory": (*_CGROUP, _TASKS + "test_out_of_memory_is_137_and_said"),
    "memoryReservation": _CGROUP,
    "portMappings": (
        _FIELDS + "test_ports_that_are_fixed_chosen_and_of_udp",
        _TASKS + "test_dynamic_ports_are_published_and_shown",
    ),
    "portMappings[].name": ("test_discovery::test_service_connect_leads_to_the_tasks_that_there_are",),
    "portMappings[].containerPortRange": ("test_fields::test_a_range_of_ports_is_published_in_a_row_and_shown_as_one",),
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
    "dependsOn": (
        _TASKS + "test_a_pod_starts_in_the_order_of_its_dependencies",
        "test_fields::test_containers_stop_in_reverse_order_each_in_its_own_time",
    ),
    "stopTimeout": (
        _TASKS + "test_a_stop_is_sigterm_then_sigkill_after_stop_timeout",
        "test_fields::test_containers_stop_in_reverse_order_each_in_its_own_time",
    ),
    "hostname": _SEEN,
    "user": ("test_fields::test_the_user_is_who_runs_the_process",),
    "workingDirectory": _SEEN,
    "disableNetworking": (
        _FIELDS + "test_a_container_without_a_network",
        "test_fields::test_a_container_without_network_has_none",
    ),
    "readonlyRootFilesystem": (
        _STORAGE + "test_a_read_only_file_system_leaves_volumes_and_memory_to_write_to",
        *_SEEN,
    ),
    "links": _SEEN,
    "dnsServers": _SEEN,
    "dnsSearchDomains": _SEEN,
    "dockerSecurityOptions": _SEEN,
    "systemControls": _SEEN,
    "privileged": ("test_fields::test_privileges_are_asked_of_the_engine",),
    "interactive": _TERMINAL,
    "pseudoTerminal": _TERMINAL,
    "volumesFrom": (_STORAGE + "test_a_volume_of_a_task_is_shared_by_its_containers_and_goes_with_it",),
    "startTimeout": ("test_fields::test_what_is_not_there_in_time_fails_what_waits_for_it",),
    "logConfiguration": _DRIVERS,
    "logConfiguration.logDriver": (*_DRIVERS, "test_logs::test_a_log_outlives_its_container"),
    "logConfiguration.options": (*_DRIVERS, *_ROUTER, "test_logs::test_a_log_outlives_its_container"),
    "logConfiguration.secretOptions": (*_LOG_SECRET, *_ROUTER),
    "firelensConfiguration": _ROUTER,
    "firelensConfiguration.options": (
        *_ROUTER,
        "test_log_router::test_a_router_that_can_write_nowhere_gets_what_a_bucket_has",
    ),
    "extraHosts": _SEEN,
    "linuxParameters": _SEEN,
    "linuxParameters.maxSwap": _SWAP,
    "linuxParameters.swappiness": _SWAP,
    "dockerLabels": _LABELS,
    "ulimits": _SEEN,
    "healthCheck": (_FIELDS + "test_each_member_of_a_health_check",),
    "resourceRequirements": _GPUS,
}

_OVERRIDE: dict[str, tuple[str, ...]] = {
    "ephemeralStorage": _SIZE,
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
    "volumes[].configuredAtLaunch": {
        "`true`": {"configuredAtLaunch": True},
        "`false`": {"configuredAtLaunch": False},
    },
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
        **{f"`awslogs`: `{name}`": {"logDriver": "awslogs", "options": {name: "a"}} for name in AWSLOGS},
        "`awslogs`: any other": {"logDriver": "awslogs", "options": {"tag": "a"}},
        "`awsfirelens`": {"logDriver": "awsfirelens", "options": {"Name": "a"}},
        "any other driver": {"logDriver": "syslog", "options": {"tag": "a"}},
    },
    "containerDefinitions[].firelensConfiguration.options": {
        "`enable-ecs-log-metadata` (`true`, `false`), a file": {
            "type": "fluentbit",
            "options": {"config-file-type": "file", "config-file-value": "/a.conf"},
        },
        "`config-file-type` `s3`": {
            "type": "fluentbit",
            "options": {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::a/b.conf"},
        },
        "a file in YAML": {
            "type": "fluentbit",
            "options": {"config-file-type": "file", "config-file-value": "/a.yaml"},
        },
        "another value of `enable-ecs-log-metadata`": {
            "type": "fluentd",
            "options": {"enable-ecs-log-metadata": "maybe"},
        },
        "any other option": {"type": "fluentd", "options": {"color": "blue"}},
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
