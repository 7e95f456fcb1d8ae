"""What the commands do, one module each; nothing here knows how options are spelt."""
