"""Judges that know AWS only from botocore's service models and from tables whose rows name their source."""
