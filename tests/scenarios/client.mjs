// AWS's SDK for JavaScript, unmodified: a task from its cluster to its end. Arguments: an image, and a command in JSON.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SDK}/`);
const ecsModule = require("@aws-sdk/client-ecs");
const { ECSClient, ClusterNotFoundException, InvalidParameterException } = ecsModule;
const ecs = new ECSClient({ maxAttempts: 1 });
const call = (name, input = {}) => ecs.send(new ecsModule[`${name}Command`](input));
const wait = { client: ecs, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };

const { cluster } = await call("CreateCluster", { clusterName: "js", tags: [{ key: "by", value: "js" }] });
assert.equal(cluster.status, "ACTIVE");
const listed = [];
for await (const page of ecsModule.paginateListClusters({ client: ecs, pageSize: 1 }, {})) {
  assert.equal(page.clusterArns.length, 1);
  listed.push(...page.clusterArns);
}
assert.deepEqual(listed.sort().map((arn) => arn.split("/")[1]), ["default", "js"]);

const [image, command] = process.argv.slice(2);
const main = { name: "main", image, memory: 16, ...JSON.parse(command) };
const { taskDefinition } = await call("RegisterTaskDefinition", { family: "app", containerDefinitions: [main] });
assert.ok(taskDefinition.registeredAt instanceof Date);
const { tasks, failures } = await call("RunTask", { taskDefinition: "app", count: 2 });
assert.deepEqual(failures, []);
const arns = tasks.map((task) => task.taskArn);
await ecsModule.waitUntilTasksRunning(wait, { tasks: arns });
const running = [];
for await (const page of ecsModule.paginateListTasks({ client: ecs, pageSize: 1 }, { desiredStatus: "RUNNING" })) {
  running.push(...page.taskArns);
}
assert.deepEqual(running.sort(), arns.sort());

for (const task of arns) await call("StopTask", { task, reason: "enough" });
await ecsModule.waitUntilTasksStopped(wait, { tasks: arns });
const stopped = (await call("DescribeTasks", { tasks: arns })).tasks;
assert.deepEqual(stopped.map((task) => task.stoppedReason), ["enough", "enough"]);
assert.deepEqual(stopped.map((task) => task.containers[0].exitCode), [0, 0]);

await assert.rejects(call("ListTasks", { cluster: "none" }), (error) => {
  assert.ok(error instanceof ClusterNotFoundException);
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  return true;
});
await assert.rejects(call("ListTasks", { maxResults: 1000 }), InvalidParameterException);
await call("DeleteCluster", { cluster: "js" });
console.log("all is well");
