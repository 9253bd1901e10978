"""A small invented internet on loopback: five sites that grow while one watches."""
