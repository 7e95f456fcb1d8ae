"""For whoever looks after it: status, report, metrics, notifications."""
