"""CodeDeploy, as far as it deploys to services of ECS."""

from datetime import datetime
from typing import Literal

from msgspec import field

from ecsctl.model.record import Record

ComputePlatform = Literal["Server", "Lambda", "ECS"]
DeploymentStatus = Literal["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"]


class GetApplicationRequest(Record):
    """What GetApplication takes."""

    application_name: str


class ApplicationInfo(Record):
    """API_ApplicationInfo."""

    application_name: str
    create_time: datetime | None
    compute_platform: ComputePlatform


class GetApplicationResponse(Record):
    """What GetApplication answers."""

    application: ApplicationInfo


class GetDeploymentGroupRequest(Record):
    """What GetDeploymentGroup takes."""

    application_name: str
    deployment_group_name: str


class ECSService(Record):
    """API_ECSService."""

    service_name: str
    cluster_name: str


class DeploymentStyle(Record):
    """API_DeploymentStyle."""

    deployment_type: Literal["IN_PLACE", "BLUE_GREEN"]
    deployment_option: Literal["WITH_TRAFFIC_CONTROL", "WITHOUT_TRAFFIC_CONTROL"]


class DeploymentReadyOption(Record):
    """API_DeploymentReadyOption."""

    action_on_timeout: Literal["CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"]
    wait_time_in_minutes: int


class BlueInstanceTerminationOption(Record):
    """API_BlueInstanceTerminationOption."""

    termination_wait_time_in_minutes: int
    action: Literal["TERMINATE", "KEEP_ALIVE"]


class BlueGreenDeploymentConfiguration(Record):
    """API_BlueGreenDeploymentConfiguration."""

    terminate_blue_instances_on_deployment_success: BlueInstanceTerminationOption
    deployment_ready_option: DeploymentReadyOption


class DeploymentGroupInfo(Record):
    """API_DeploymentGroupInfo."""

    application_name: str
    deployment_group_name: str
    deployment_style: DeploymentStyle
    blue_green_deployment_configuration: BlueGreenDeploymentConfiguration
    ecs_services: list[ECSService]
    compute_platform: ComputePlatform


class GetDeploymentGroupResponse(Record):
    """What GetDeploymentGroup answers."""

    deployment_group_info: DeploymentGroupInfo


class AppSpecContent(Record):
    """API_AppSpecContent, and API_RawString."""

    content: str | None = None
    sha256: str | None = field(default=None, name="sha256")


class RevisionLocation(Record):
    """API_RevisionLocation, of what comes with the request."""

    revision_type: Literal["S3", "GitHub", "String", "AppSpecContent"] | None = None
    string: AppSpecContent | None = None
    app_spec_content: AppSpecContent | None = None


class CreateDeploymentRequest(Record):
    """What CreateDeployment takes. A description is kept nowhere."""

    application_name: str
    deployment_group_name: str
    revision: RevisionLocation
    description: str | None = None


class CreateDeploymentResponse(Record):
    """What CreateDeployment answers."""

    deployment_id: str


class GetDeploymentRequest(Record):
    """What GetDeployment takes."""

    deployment_id: str


class ErrorInformation(Record):
    """API_ErrorInformation."""

    code: Literal["ECS_UPDATE_ERROR"]
    message: str


class DeploymentInfo(Record):
    """API_DeploymentInfo."""

    application_name: str
    deployment_group_name: str
    deployment_id: str
    status: DeploymentStatus
    create_time: datetime | None
    start_time: datetime | None
    compute_platform: ComputePlatform
    complete_time: datetime | None = None
    error_information: ErrorInformation | None = None


class GetDeploymentResponse(Record):
    """What GetDeployment answers."""

    deployment_info: DeploymentInfo
