# ruff: noqa: E501 an argument list is a line
"""Argument lists, in the order in which they are run: as a shell would read them, one a line.

In braces is what came before: `{task}`. A line `settle` lets the hosts and the services come to rest.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

SCRIPT = r"""
# clusters
create-cluster
create-cluster --cluster-name shop --tags key=team,value=web key=empty,value=
create-cluster --cluster-name lab --settings name=containerInsights,value=enabled
create-cluster --cluster-name json --tags '[{"key": "a", "value": "b c"}]' --settings '{"name":"containerInsights","value":"disabled"}'
create-cluster --cli-input-json '{"clusterName": "input", "capacityProviders": ["FARGATE"]}'
create-cluster --cli-input-json '{"clusterName": "input", "tags": [{"key": "a"}]}' --cluster-name other
create-cluster --cluster-name spot --capacity-providers FARGATE FARGATE_SPOT --default-capacity-provider-strategy capacityProvider=FARGATE_SPOT,weight=2 capacityProvider=FARGATE,weight=1,base=1
create-cluster --cluster-name execs --configuration executeCommandConfiguration={logging=OVERRIDE,logConfiguration={cloudWatchLogGroupName=a,s3BucketName=b}}
create-cluster --cluster-name 'a b'
create-cluster --cluster-name bad --settings name=containerInsights,value=maybe
create-cluster --cluster-name bad --settings name=insights,value=enabled
create-cluster --cluster-name bad --tags key=aws:x,value=y
create-cluster --cluster-name bad --tags key
create-cluster --cluster-name bad --tags '[{"key": "a"'
create-cluster --cluster-name bad --tags '{"kee": "a"}'
create-cluster --cluster-name bad --tags kee=a
create-cluster --cluster-name bad --default-capacity-provider-strategy capacityProvider=FARGATE
create-cluster --cluster-name bad --default-capacity-provider-strategy weight=1
create-cluster --cluster bad
create-cluster --cluster-name
create-cluster extra
describe-clusters
describe-clusters --clusters shop nope lab
describe-clusters --clusters shop --include TAGS SETTINGS STATISTICS CONFIGURATIONS ATTACHMENTS
describe-clusters --clusters execs --include CONFIGURATIONS
describe-clusters --clusters shop --include MOON
describe-clusters --clusters '["shop", "lab"]' --query 'clusters[].clusterName'
describe-clusters --clusters shop lab --query 'clusters[].[clusterName,status]' --output text
describe-clusters --clusters shop lab --query 'clusters[].{name:clusterName,count:runningTasksCount}' --output table
describe-clusters --clusters shop --output text
describe-clusters --clusters shop --output table
describe-clusters --clusters shop nope --include TAGS --output text
describe-clusters --clusters shop --query 'length(clusters)'
describe-clusters --clusters shop --query 'clusters[0].tags'
describe-clusters --clusters shop --query 'nothing'
describe-clusters --clusters shop --query 'nothing' --output text
describe-clusters --clusters shop --query 'clusters[0].activeServicesCount' --output text
describe-clusters --clusters shop --query '['
describe-clusters --clusters arn:aws:ecs:us-east-1:000000000000:cluster/shop
describe-clusters --clusters arn:aws:ecs:us-east-1:000000000000:service/shop/a
describe-clusters --cli-input-json '{"clusters": ["lab"]}'
describe-clusters --cli-input-json '{"clusters": "lab"}'
describe-clusters --cli-input-json '{"klusters": ["lab"]}'
describe-clusters --cli-input-json '{'
describe-clusters --cli-input-json '[]'
describe-clusters --cli-input-json file:///nowhere.json
list-clusters
list-clusters --output text
list-clusters --output table
list-clusters --max-items 2
list-clusters --max-items 2 --output text
list-clusters --max-items 2 --page-size 1
list-clusters --page-size 3 --query 'clusterArns[1]' --output text
list-clusters --max-items 3 --starting-token {cluster-token}
list-clusters --max-items 100
list-clusters --no-paginate
list-clusters --no-paginate --max-results 2
list-clusters --max-results 2
list-clusters --max-results 2 --next-token 2
list-clusters --max-results 101
list-clusters --no-paginate --max-results 0
list-clusters --no-paginate --next-token bad
list-clusters --no-paginate --max-items 2
list-clusters --no-paginate --page-size 2 --output text
list-clusters --no-paginate --starting-token {cluster-token}
list-clusters --max-results 1 --max-items 1
list-clusters --max-results 1 --max-items 0
list-clusters --next-token 2 --page-size 1
list-clusters --next-token 2 --starting-token {cluster-token} --max-items 1
list-clusters --max-items 0
list-clusters --max-items 0 --output text
list-clusters --max-items 0 --page-size 1
list-services --max-items 0
list-clusters --max-items many
list-clusters --page-size x
list-clusters --output xml
list-clusters --generate-cli-skeleton
list-clusters --generate-cli-skeleton input
list-clusters --generate-cli-skeleton output
list-clusters --generate-cli-skeleton nonsense
list-clusters --no-such-option
list-clustres
update-cluster --cluster shop --settings name=containerInsights,value=enhanced
update-cluster --cluster nope --settings name=containerInsights,value=enhanced
update-cluster
update-cluster-settings --cluster shop --settings name=containerInsights,value=disabled
update-cluster-settings --cluster shop
delete-cluster --cluster other
delete-cluster --cluster nope
delete-cluster --cluster default
describe-clusters --clusters other
put-cluster-capacity-providers --cluster shop --capacity-providers FARGATE --default-capacity-provider-strategy capacityProvider=FARGATE,weight=1
put-cluster-capacity-providers --cluster shop --capacity-providers --default-capacity-provider-strategy
put-cluster-capacity-providers --cluster shop --capacity-providers '[]' --default-capacity-provider-strategy '[]'
put-cluster-capacity-providers --cluster shop --capacity-providers nope --default-capacity-provider-strategy '[]'
put-cluster-capacity-providers --cluster shop --capacity-providers FARGATE
# capacity providers
create-capacity-provider --name spare --auto-scaling-group-provider autoScalingGroupArn=spare,managedScaling={status=DISABLED,targetCapacity=100},managedTerminationProtection=DISABLED
create-capacity-provider --name spare --auto-scaling-group-provider autoScalingGroupArn=spare
create-capacity-provider --name aws1 --auto-scaling-group-provider autoScalingGroupArn=spare
create-capacity-provider --name p1 --auto-scaling-group-provider autoScalingGroupArn=a,managedScaling={targetCapacity=101}
create-capacity-provider --name p1 --auto-scaling-group-provider autoScalingGroupArn=a,managedScaling={targetCapacity=x}
describe-capacity-providers
describe-capacity-providers --capacity-providers spare nope --include TAGS
describe-capacity-providers --max-results 1
describe-capacity-providers --max-results 11
update-capacity-provider --name spare --auto-scaling-group-provider managedScaling={targetCapacity=50}
update-capacity-provider --name nope --auto-scaling-group-provider managedScaling={targetCapacity=50}
delete-capacity-provider --capacity-provider spare
delete-capacity-provider --capacity-provider FARGATE
delete-capacity-provider
# account settings
list-account-settings
list-account-settings --effective-settings
list-account-settings --effective-settings --no-paginate
list-account-settings --effective-settings --name taskLongArnFormat --output text
list-account-settings --value enabled
list-account-settings --name moon
put-account-setting --name containerInsights --value enhanced
put-account-setting --name containerInsights --value maybe
put-account-setting --name taskLongArnFormat --value disabled
put-account-setting --name guardDutyActivate --value on
put-account-setting --name containerInsights
put-account-setting --name awsvpcTrunking --value enabled --principal-arn arn:aws:iam::000000000000:user/ann
put-account-setting --name awsvpcTrunking --value enabled --principal-arn ann
put-account-setting-default --name fargateTaskRetirementWaitPeriod --value 14
put-account-setting-default --name fargateTaskRetirementWaitPeriod --value 8
list-account-settings --no-effective-settings
list-account-settings --principal-arn arn:aws:iam::000000000000:user/ann
delete-account-setting --name containerInsights
delete-account-setting --name awsvpcTrunking --principal-arn arn:aws:iam::000000000000:user/ann
delete-account-setting
# container instances and their attributes
list-container-instances
list-container-instances --filter 'attribute:ecs.availability-zone == zone1'
list-container-instances --filter 'attribute:'
list-container-instances --status DRAINING
list-container-instances --status MOON
list-container-instances --cluster nope
list-container-instances --max-items 1
describe-container-instances --container-instances {instance}
describe-container-instances --container-instances {instance} nope --include TAGS
describe-container-instances --container-instances {instance} --output text
describe-container-instances --container-instances {instance} --query 'containerInstances[].registeredResources[]' --output table
describe-container-instances --container-instances {instance} --query "containerInstances[].registeredResources[?name=='MEMORY'].integerValue" --output text
describe-container-instances
describe-container-instances --container-instances
put-attributes --attributes name=rack,value=7,targetType=container-instance,targetId={instance}
put-attributes --attributes name=rack,value=7,targetId={instance} name=ssd,targetId={instance}
put-attributes --attributes name=rack,value=7,targetId=nope
put-attributes --attributes value=7,targetId={instance}
put-attributes --attributes 'name=a b,targetId={instance}'
list-attributes --target-type container-instance
list-attributes --target-type container-instance --attribute-name rack --attribute-value 7
list-attributes --target-type container-instance --attribute-value 7
list-attributes --target-type moon
list-attributes
list-attributes --target-type container-instance --attribute-name rack --output table
delete-attributes --attributes name=rack,targetId={instance}
update-container-instances-state --container-instances {instance} --status DRAINING
update-container-instances-state --container-instances {instance} nope --status ACTIVE
update-container-instances-state --container-instances {instance} --status REGISTERING
update-container-agent --container-instance {instance}
update-container-agent --container-instance nope
# task definitions
register-task-definition --family app --container-definitions name=main,image=up,memory=16,essential=true
register-task-definition --family app --container-definitions '[{"name": "main", "image": "up", "memory": 16, "command": [], "environment": [{"name": "A", "value": ""}]}]' --tags key=a,value=b
register-task-definition --family app --container-definitions name=main,image=up,memory=16,cpu=10,command=sh,-c,portMappings=[{containerPort=80,protocol=tcp}] --task-role-arn app --cpu 256 --memory 512
register-task-definition --family app --container-definitions 'name=main,image=up,memory=16,environment=[{name=A,value=b},{name=C,value="d,e"}],logConfiguration={logDriver=json-file,options={max-size=1m}}'
register-task-definition --cli-input-json '{"family": "once", "networkMode": "bridge", "containerDefinitions": [{"name": "main", "image": "once", "memoryReservation": 8, "essential": true}], "volumes": [], "placementConstraints": []}'
register-task-definition --family late --container-definitions name=main,image=up,memory=16,dockerLabels={a=b,c=d},ulimits=[{name=nofile,softLimit=1,hardLimit=2}],dependsOn=[] --volumes name=data,host={sourcePath=/srv} --placement-constraints type=memberOf,expression='attribute:ecs.availability-zone==zone0'
register-task-definition --family app --container-definitions name=main,image=up
register-task-definition --family app --container-definitions name=main,image=up,memory=lots
register-task-definition --family app --container-definitions nam=main,image=up
register-task-definition --family app --container-definitions '{"name": "main", "memory": "16"}'
register-task-definition --family 'a b' --container-definitions name=main,image=up,memory=16
register-task-definition --family app
register-task-definition --container-definitions name=main,image=up,memory=16
register-task-definition --family app --network-mode moon --container-definitions name=main,image=up,memory=16
register-task-definition --family app --container-definitions file:///nowhere.json
register-task-definition --family app --container-definitions file://{folder}/containers.json
register-task-definition --cli-input-json file://{folder}/definition.json
register-task-definition --cli-input-json file://{folder}/definition.json --family other --tags key=x,value=y
register-task-definition --generate-cli-skeleton
describe-task-definition --task-definition app
describe-task-definition --task-definition app:1 --include TAGS
describe-task-definition --task-definition app:2 --include TAGS --output text
describe-task-definition --task-definition app:3 --output table
describe-task-definition --task-definition app --query taskDefinition.revision
describe-task-definition --task-definition app --query 'taskDefinition.containerDefinitions[0].environment' --output text
describe-task-definition --task-definition nope
describe-task-definition --task-definition app:99
describe-task-definition --task-definition app:x
describe-task-definition
list-task-definitions
list-task-definitions --family-prefix app --sort DESC
list-task-definitions --family-prefix app --sort UP
list-task-definitions --status INACTIVE
list-task-definitions --family-prefix app --max-items 1 --output text
list-task-definitions --query 'taskDefinitionArns[-1]'
list-task-definition-families
list-task-definition-families --family-prefix o --status ACTIVE
list-task-definition-families --status ALL --max-items 1
list-task-definition-families --family-prefix app --output text --query families
deregister-task-definition --task-definition app:1
deregister-task-definition --task-definition app
deregister-task-definition --task-definition app:77
delete-task-definitions --task-definitions app:1 nope:1
delete-task-definitions --task-definitions app:2
delete-task-definitions
# tasks
run-task --task-definition app
run-task --task-definition app --count 2 --started-by me --group web --tags key=a,value=b
run-task --task-definition app --overrides '{"containerOverrides": [{"name": "main", "environment": [{"name": "A", "value": "b"}]}]}'
run-task --task-definition app --overrides containerOverrides=[{name=main,command=[a,b],environment=[{name=A,value=b}]}],cpu=128
run-task --task-definition app --placement-strategy type=spread,field=attribute:ecs.availability-zone type=binpack,field=memory --placement-constraints type=distinctInstance
run-task --task-definition app --client-token same
run-task --task-definition app --client-token same
run-task --task-definition app --client-token same --count 2
run-task --task-definition app --count 11
run-task --task-definition app --count x
run-task --task-definition nope
run-task --task-definition app --launch-type MOON
run-task --task-definition app --cluster nope
run-task --task-definition app --cluster shop
run-task --task-definition app --overrides '{"containerOverrides": [{"name": "nope"}]}'
run-task --task-definition app --overrides '{"containerOverrides": [{"nam": "main"}]}'
run-task --task-definition app --placement-strategy type=spread,field=moon
run-task --task-definition app --placement-strategy type=moon
run-task --task-definition app --tags key=a,value=b key=a,value=c
run-task --task-definition app --network-configuration awsvpcConfiguration={subnets=[a,b],assignPublicIp=DISABLED}
run-task --task-definition app --enable-ecs-managed-tags --disable-execute-command --propagate-tags TASK_DEFINITION --reference-id r1
run-task
run-task --cli-input-json '{"taskDefinition": "app", "count": 2}'
run-task --cli-input-json '{"count": 2}'
run-task --cli-input-json '{"taskDefinition": "app", "count": 2}' --count 1 --query 'tasks[].lastStatus' --output text
run-task --generate-cli-skeleton
describe-clusters --generate-cli-skeleton output
run-task --task-definition once
start-task --task-definition app --container-instances {instance}
start-task --task-definition app --container-instances nope
start-task --task-definition app
settle
list-tasks
list-tasks --family app --desired-status RUNNING
list-tasks --desired-status STOPPED
list-tasks --started-by me --output text
list-tasks --launch-type EC2 --max-items 2
list-tasks --service-name nope
list-tasks --container-instance {instance} --query 'length(taskArns)'
list-tasks --desired-status MOON
list-tasks --cluster nope
list-tasks --max-items 1 --starting-token {task-token}
describe-tasks --tasks {task}
describe-tasks --tasks {task} nope --include TAGS
describe-tasks --tasks {task-id}
describe-tasks --tasks {task} --output text
describe-tasks --tasks {task} --output table
describe-tasks --tasks {task} --query 'tasks[].containers[].[name,lastStatus,exitCode]' --output text
describe-tasks --tasks {task} --query 'tasks[0].createdAt'
describe-tasks --tasks {task} --query 'tasks[0].containers[0].exitCode' --output text
describe-tasks --tasks {once} --query 'tasks[0].[stopCode,stoppedReason,containers[0].exitCode]'
describe-tasks --tasks
describe-tasks
describe-tasks --tasks {task} --cluster nope
wait tasks-running --tasks {task}
wait tasks-running --tasks nope
wait tasks-stopped --tasks {once}
wait tasks-running --tasks {once}
wait tasks-running
wait moon --tasks {task}
wait
submit-task-state-change --task {task} --status STOPPED --execution-stopped-at 1700000000
submit-task-state-change --task {task} --status STOPPED --execution-stopped-at 2023-11-14T22:13:20Z --containers containerName=main,exitCode=1
submit-task-state-change --task {task} --execution-stopped-at soon
submit-task-state-change --task nope
submit-container-state-change --task {task} --container-name main --exit-code 1 --status STOPPED
submit-container-state-change --task {task} --container-name other
stop-task --task {task} --reason 'enough of it'
stop-task --task nope
stop-task
settle
describe-tasks --tasks {task} --query 'tasks[0].stoppedReason'
# services
create-service --service-name web --task-definition app --desired-count 2
settle
create-service --service-name web --task-definition app --desired-count 1
create-service --service-name daemons --task-definition late --scheduling-strategy DAEMON
create-service --service-name tuned --task-definition app --desired-count 0 --deployment-configuration maximumPercent=150,minimumHealthyPercent=50,deploymentCircuitBreaker={enable=true,rollback=true} --placement-strategy type=spread,field=host --tags key=a,value=b --propagate-tags SERVICE
create-service --service-name bad --task-definition nope --desired-count 1
create-service --service-name bad --task-definition app
create-service --service-name bad --task-definition app --desired-count -1
create-service --service-name bad --task-definition app --desired-count 1 --launch-type MOON
create-service --service-name bad --task-definition app --desired-count 1 --deployment-configuration maximumPercent=150,alarms={alarmNames=[a],enable=true}
create-service --task-definition app
settle
wait services-stable --services web
wait services-stable --services nope
wait services-inactive --services nope
describe-services --services web
describe-services --services web nope --include TAGS
describe-services --services web --query 'services[0].deployments[].[status,desiredCount,rolloutState]' --output text
describe-services --services web --query 'services[].{n:serviceName,r:runningCount}' --output table
describe-services --services web --query 'services[0].events[].message' --output text
describe-services --services
describe-services --services web --cluster nope
list-services
list-services --scheduling-strategy DAEMON --output text
list-services --launch-type EC2 --max-items 1
list-services --cluster shop
list-services-by-namespace --namespace shop
list-services-by-namespace
list-service-deployments --service web
list-service-deployments --service web --status IN_PROGRESS SUCCESSFUL --created-at after=2020-01-01T00:00:00Z,before=2020-02-01
list-service-deployments --service nope
describe-service-deployments --service-deployment-arns {deployment}
describe-service-deployments --service-deployment-arns arn:aws:ecs:us-east-1:000000000000:service-deployment/default/web/nope
describe-service-revisions --service-revision-arns {revision}
describe-service-revisions --service-revision-arns nope
stop-service-deployment --service-deployment-arn {deployment}
continue-service-deployment --service-deployment-arn {deployment} --hook-id a
update-service --service web --desired-count 1
update-service --service web --force-new-deployment --query service.deployments[].status
update-service --service web --no-force-new-deployment --health-check-grace-period-seconds 5 --query service.healthCheckGracePeriodSeconds
update-service --service nope --desired-count 1
update-service --service web --task-definition nope
update-service
settle
get-task-protection --cluster default
get-task-protection --cluster default --tasks {task}
update-task-protection --cluster default --tasks {task} --protection-enabled
update-task-protection --cluster default --tasks {task} --no-protection-enabled
update-task-protection --cluster default --tasks {task}
update-task-protection --cluster default --tasks {task} --protection-enabled --expires-in-minutes 2881
# task sets
create-service --service-name mine --desired-count 1 --deployment-controller type=EXTERNAL
create-task-set --cluster default --service mine --task-definition app --scale value=100,unit=PERCENT
create-task-set --cluster default --service mine --task-definition app --scale value=101,unit=PERCENT
create-task-set --cluster default --service web --task-definition app
describe-task-sets --cluster default --service mine
describe-task-sets --cluster default --service mine --task-sets {set} nope --include TAGS
update-task-set --cluster default --service mine --task-set {set} --scale value=50.5,unit=PERCENT
update-service-primary-task-set --cluster default --service mine --primary-task-set {set}
delete-task-set --cluster default --service mine --task-set {set} --force
delete-task-set --cluster default --service mine
# tags
tag-resource --resource-arn {cluster} --tags key=x,value=y Key=z,Value=w
tag-resource --resource-arn {cluster} --tags key=x,value=y key=z,value=
tag-resource --resource-arn {cluster} --tags 'key=a|b,value=y'
tag-resource --resource-arn nope --tags key=x,value=y
tag-resource --resource-arn {cluster}nope --tags key=x,value=y
list-tags-for-resource --resource-arn {cluster}
list-tags-for-resource --resource-arn {cluster} --output text
list-tags-for-resource --resource-arn {cluster} --output table
untag-resource --resource-arn {cluster} --tag-keys x z
untag-resource --resource-arn {cluster}
list-tags-for-resource --resource-arn {cluster} --output text
# what is refused by name
list-daemons
list-gateways
discover-poll-endpoint
submit-attachment-state-changes --attachments attachmentArn=a,status=b
# and the end of it
delete-service --service tuned
delete-service --service web
delete-service --service web --force
delete-service --service nope
settle
wait services-inactive --services tuned
delete-cluster --cluster lab
deregister-container-instance --container-instance {instance}
deregister-container-instance --container-instance {instance} --force
deregister-container-instance --container-instance nope
"""

KEPT = {
    "create-cluster --cluster-name shop --tags key=team,value=web key=empty,value=": {"cluster": "cluster.clusterArn"},
    "list-clusters --max-items 2": {"cluster-token": "NextToken"},
    "list-container-instances": {"instance": "containerInstanceArns[0]"},
    "run-task --task-definition app": {"task": "tasks[0].taskArn"},
    "run-task --task-definition once": {"once": "tasks[0].taskArn"},
    "list-tasks --launch-type EC2 --max-items 2": {"task-token": "NextToken"},
    "list-service-deployments --service web": {
        "deployment": "serviceDeployments[0].serviceDeploymentArn",
        "revision": "serviceDeployments[0].targetServiceRevisionArn",
    },
    "create-task-set --cluster default --service mine --task-definition app --scale value=100,unit=PERCENT": {
        "set": "taskSet.taskSetArn"
    },
}
"""What later lines name, and where it is in the answer to which line."""


class Case(NamedTuple):
    """One list of arguments. `aws`: what AWS CLI v1 is given in its place, where it lacks what v2 has."""

    line: str
    aws: str

    @property
    def name(self) -> str:
        return self.line[:90]


ONLY_V2 = (
    ("list-clusters --output yaml", "list-clusters", "v1 has no --output yaml"),
    (
        "describe-clusters --clusters shop --include TAGS --output yaml",
        "describe-clusters --clusters shop --include TAGS",
        "the same",
    ),
    (
        "create-cluster --cli-input-yaml 'clusterName: yaml'",
        "create-cluster --cluster-name yaml",
        "v1 has no --cli-input-yaml",
    ),
    (
        "run-task --cli-input-yaml 'count: 2' --task-definition app",
        "run-task --count 2 --task-definition app",
        "the same",
    ),
    (
        "list-clusters --generate-cli-skeleton yaml-input",
        "list-clusters --generate-cli-skeleton input",
        "v1 has no yaml-input",
    ),
    ("list-clusters --no-cli-pager", "list-clusters", "v1 has no pager"),
)
"""What AWS CLI v1 lacks of v2, what it is given in its place, and why."""


def cases() -> list[Case]:
    lines = [line for line in SCRIPT.strip().splitlines() if not line.startswith("#")]
    return [*(Case(line, line) for line in lines), *(Case(line, aws) for line, aws, _ in ONLY_V2)]


def words_of(line: str, made: dict[str, str]) -> list[str]:
    """As a shell would split it, with what was made before in its place."""
    words = shlex.split(line)
    for name, value in made.items():
        words = [word.replace(f"{{{name}}}", value) for word in words]
    return words
