"""A command's terminal over a WebSocket, in the protocol of AWS's Session Manager: what its two ends, the endpoint and
the plugin that `aws ecs execute-command` starts, have in common, and that plugin."""
