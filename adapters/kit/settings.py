"""Settings of a vendor: one frozen pydantic model in the vendor's own file, filled from `sources.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class AdapterSettings(BaseModel):
    """Base of every vendor's `Settings`.

    Field descriptions become the help of the generated command-line flags and of `docs/adapters.md`.
    Secrets are `SecretStr`. Unknown keys are refused, so that a typing error is a message, not a default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
