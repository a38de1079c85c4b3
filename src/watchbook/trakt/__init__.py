"""Trakt's protocol: asking, paging and reading answers, without a database."""
