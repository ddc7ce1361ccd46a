//! What metrics are made of: label values that are fixed in the code, and histograms of time.

use opentelemetry::TraceId;
use prometheus_client::{
    encoding::{EncodeLabelSet, LabelSetEncoder},
    metrics::{
        exemplar::HistogramWithExemplars,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
};

/// An enum of label values, each with its text in the exposition.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The value as it stands in the exposition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }

        impl ::prometheus_client::encoding::EncodeLabelValue for $name {
            fn encode(
                &self,
                encoder: &mut ::prometheus_client::encoding::LabelValueEncoder<'_>,
            ) -> Result<(), ::std::fmt::Error> {
                ::prometheus_client::encoding::EncodeLabelValue::encode(&self.as_str(), encoder)
            }
        }
    };
}
pub(crate) use label_values;

/// A histogram for each combination of labels.
pub(crate) type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

/// 1 ms to 32 s, doubling.
fn latency_buckets() -> impl Iterator<Item = f64> {
    exponential_buckets(0.001, 2.0, 16)
}

/// A histogram of times from 1 ms to 32 s.
pub(crate) fn latency() -> Histogram {
    Histogram::new(latency_buckets())
}

/// The same with exemplars.
pub(crate) fn traced_latency() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new(latency_buckets())
}

/// The trace of an exemplar: the label `trace_id`, as Grafana looks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace(pub(crate) TraceId);

impl EncodeLabelSet for Trace {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> std::fmt::Result {
        use prometheus_client::encoding::EncodeLabel as _;
        ("trace_id", self.0.to_string()).encode(encoder.encode_label())
    }
}

/// A histogram for each combination of labels, each with traces as exemplars.
pub(crate) type TracedHistograms<Labels> =
    Family<Labels, HistogramWithExemplars<Trace>, fn() -> HistogramWithExemplars<Trace>>;
