"""One crawl of one source over Scrapy: fetch, parse, keep, remember."""
