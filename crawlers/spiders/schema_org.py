"""Any page that describes its reviews by schema.org."""

from __future__ import annotations

from crawlers.contract import Promise
from crawlers.families.schema_org import SchemaOrgSpider


class SchemaOrg(SchemaOrgSpider):
    """Needs no more than an address where the page describes its reviews whole."""

    kind = "schema-org"
    title = "Page with reviews (schema.org)"
    minimum_interval_seconds = 900
    is_verified = True
    promise = Promise(filled={"text": 0.5})
