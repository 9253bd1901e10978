"""Scrapy spiders, sources, the schedule: the only home of Scrapy and APScheduler."""
