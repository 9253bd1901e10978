"""A small invented internet on loopback: four sites that grow while one watches."""
