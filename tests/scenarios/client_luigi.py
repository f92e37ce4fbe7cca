"""A workflow of Luigi with one task of ECS, as one writes it. Arguments: an image, and a command in JSON."""

# mypy: ignore-errors
import json
import sys

import luigi
from luigi.contrib.ecs import ECSTask


class Work(ECSTask):
    task_def = {  # noqa: RUF012 so it is written
        "family": "luigi",
        "volumes": [],
        "containerDefinitions": [
            {"name": "main", "image": sys.argv[1], "memory": 16, "essential": True, "command": ["false"]}
        ],
    }

    @property
    def command(self):
        return [{"name": "main", "command": json.loads(sys.argv[2])}]


sys.exit(not luigi.build([Work()], local_scheduler=True))
