"""A small invented news site on loopback: four sources in their true mark-up, for the demo and the tests."""
