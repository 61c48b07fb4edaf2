"""Whether telemetry is asked for, by the variables that OpenTelemetry has standardised for all programs."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_OF_ONE_SIGNAL: Final = {
    "traces": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"),
    "metrics": ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER"),
}
_PROTOCOLS: Final = tuple(f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL" for signal in ("", "TRACES_", "METRICS_"))
_OUR_PROTOCOL: Final = "http/protobuf"
_LIBRARY: Final = "opentelemetry"


def asks_for_telemetry(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is set and the SDK is not disabled.

    Raises:
        ValueError: beginning with the name of a variable that cannot be followed, or for which packages are missing.
    """
    if _value(environment, "OTEL_SDK_DISABLED").lower() == "true":
        return False
    asking = [
        name for name in (ENDPOINT, *(names[0] for names in _OF_ONE_SIGNAL.values())) if _value(environment, name)
    ]
    for name in asking:
        if not _value(environment, name).startswith(("http://", "https://")):
            raise ValueError(f"{name}: expected an address that begins with http:// or https://")
    if not asking:
        return False
    for name in _PROTOCOLS:
        if _value(environment, name) not in ("", _OUR_PROTOCOL):
            raise ValueError(f"{name}: only {_OUR_PROTOCOL} is spoken here")
    if not _is_installed():
        raise ValueError(f"{asking[0]}: this needs more packages: pip install 'dynamic-event-streams[telemetry]'")
    return True


def is_exported(signal: str, environment: Mapping[str, str]) -> bool:
    """Whether a signal, "traces" or "metrics", has somewhere to go and is not switched off."""
    endpoint, exporter = _OF_ONE_SIGNAL[signal]
    has_endpoint = _value(environment, ENDPOINT) or _value(environment, endpoint)
    return bool(has_endpoint) and _value(environment, exporter).lower() != "none"


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()


def _is_installed() -> bool:
    try:
        return all(find_spec(f"{_LIBRARY}.{part}") for part in ("sdk.trace", "exporter.otlp.proto.http"))
    except ModuleNotFoundError:  # not even what they lie in
        return False
