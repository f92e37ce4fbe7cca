"""Volumes that are configured at launch (EBS): what may be asked of them.

Source: ECS API_TaskVolumeConfiguration, API_TaskManagedEBSVolumeConfiguration, and ECS developer guide, "Use Amazon EBS
volumes with Amazon ECS".
"""

from __future__ import annotations

from collections.abc import Sequence

from ecsctl.model.errors import client_exception, invalid_parameter
from ecsctl.model.record import decode, to_wire
from ecsctl.model.service import ServiceVolumeConfiguration
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import TaskVolumeConfiguration

MOST_GIB = 65536
Given = Sequence[TaskVolumeConfiguration] | Sequence[ServiceVolumeConfiguration] | None
"""What RunTask, or what CreateService was given."""


def volume_asked(definition: TaskDefinition, given: Given) -> TaskVolumeConfiguration | None:
    """What is asked of the volume that tasks of a definition have configured at launch; None where they have none.

    InvalidParameterException for what does not go with the definition, ClientException for what cannot be honoured.
    """
    wanted = [str(volume.name) for volume in definition.volumes or [] if volume.configured_at_launch]
    names = [one.name for one in given or []]
    if not wanted and not names:
        return None
    if names != wanted:
        said = f"configured at launch are {', '.join(wanted) or 'none'}, given is {', '.join(names) or 'none'}"
        raise invalid_parameter(f"volumeConfigurations: {definition.family}:{definition.revision}: {said}.")
    asked = as_of_task(*given or ())
    managed = asked.managed_ebs_volume
    path = f"volumeConfigurations: {asked.name}.managedEBSVolume"
    if managed is None:
        raise invalid_parameter(f"{path}: is required.")
    if managed.snapshot_id:
        raise client_exception(f"{path}.snapshotId: what is in {managed.snapshot_id} cannot be had here.")
    if managed.size_in_gib is None or not 1 <= managed.size_in_gib <= MOST_GIB:
        raise invalid_parameter(f"{path}.sizeInGiB: write 1 to {MOST_GIB}.")
    return asked


def as_of_task(given: TaskVolumeConfiguration | ServiceVolumeConfiguration) -> TaskVolumeConfiguration:
    """What is asked of a task's volume. Those of a service's tasks always go with them."""
    return given if isinstance(given, TaskVolumeConfiguration) else decode(TaskVolumeConfiguration, to_wire(given))


def as_of_service(given: TaskVolumeConfiguration) -> ServiceVolumeConfiguration:
    """What a service asked, by the volume of one of its tasks."""
    return decode(ServiceVolumeConfiguration, to_wire(given))
