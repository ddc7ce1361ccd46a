//! How many partitions and replicas a topic has.

use super::Int;

/// More than Kafka clusters carry; a slip of the keyboard should not reach one.
pub(in crate::tools) type Partitions = Int<1, 100_000>;
/// Kafka keeps it as a 16-bit number.
pub(in crate::tools) type Replication = Int<1, 32_767>;

pub(in crate::tools) fn one_partition() -> Partitions {
    Int::clamped(1)
}

pub(in crate::tools) fn one_replica() -> Replication {
    Int::clamped(1)
}
