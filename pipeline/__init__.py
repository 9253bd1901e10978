"""A batch of posts becomes mentions, alerts and deliveries."""
