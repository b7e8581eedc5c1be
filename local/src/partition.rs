//! Partitions: what an ARN of a Region begins with.

/// The partition that a Region belongs to (botocore 1.43.11, `partitions.json`, `regionRegex`). Other
/// partitions have no AWS IoT.
pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// What follows `arn:PARTITION:` in an ARN, whatever its partition.
pub(crate) fn after_partition(arn: &str) -> Option<&str> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    partition.starts_with("aws").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_partition() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-west-2", "aws"),
        ] {
            assert_eq!(partition(region), expected, "{region}");
        }
        assert_eq!(after_partition("arn:aws-cn:iam::aws:policy/X"), Some("iam::aws:policy/X"));
        assert_eq!(after_partition("arn:other:iam::aws:policy/X"), None);
    }
}
