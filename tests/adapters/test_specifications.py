"""What adapters ask, held against the vendors' own OpenAPI documents.

Elasticsearch's is no use for that: its range queries are a `oneOf` of equal schemas, which nothing satisfies.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from adapters.kit import registry
from tests.adapters.cases import datadog, kubernetes
from tests.adapters.conformance import Case, ask, made
from tests.adapters.loopback import Asked

HOST = "https://api.example.com"
DOCUMENTS: tuple[tuple[str, Case, str], ...] = (
    ("kubernetes/api-v1-openapi-trimmed.json", kubernetes.CASES[0], r"/api/v1/.*/(events|log)"),
    ("kubernetes/apps-v1-openapi-trimmed.json", kubernetes.CASES[1], r"/apis/apps/v1/.*"),
    ("datadog/v1-openapi-trimmed.json", datadog.CASES[1], r"/api/v1/query"),
)


def requests(case: Case, folder) -> list[Asked]:
    with made(case, folder) as world:
        adapter = registry.kinds()[case.group, case.type].build("under-test", world.config)
        ask(case, adapter, case.window)
        assert world.server is not None
        return world.server.asked


def as_request(asked: Asked) -> MockRequest:
    return MockRequest(
        HOST,
        asked.method.lower(),
        asked.path,
        args={name: values[0] for name, values in asked.query.items()},
        headers={name.title(): value for name, value in asked.headers.items()},
        data=asked.body or None,
        content_type=asked.headers.get("content-type", "application/json"),
    )


@pytest.mark.parametrize(("document", "case", "paths"), DOCUMENTS, ids=[d[0] for d in DOCUMENTS])
def test_requests_are_those_of_the_vendors_document(shared_data, tmp_path, document, case, paths):
    specification: dict[str, Any] = json.loads((shared_data / "contracts" / document).read_text())
    specification["servers"] = [{"url": HOST}]
    openapi = OpenAPI.from_dict(specification, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]
    covered = [asked for asked in requests(case, tmp_path) if re.fullmatch(paths, asked.path)]
    assert covered
    for asked in covered:
        openapi.validate_request(as_request(asked))
