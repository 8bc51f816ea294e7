"""The one place that builds and wires: gateway, speech engines, logs, references."""
