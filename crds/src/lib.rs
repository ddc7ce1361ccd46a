//! The vocabulary of the operator: the `LensesMcpServer` API, its conditions, and the CRD made from them.
