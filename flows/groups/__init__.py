"""How the commands are spelt: options, help and examples, in the groups that `finnews --help` shows."""
