//! The size of a JSON text, measured before memory is allocated for what is in it.

/// Most values and keys of one message, counted as [`measure`] does.
pub const NODES_MAX: usize = 20_000;
/// Deepest nesting of arrays and objects in one message.
pub const DEPTH_MAX: usize = 64;

/// Why a text is not parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Too many values.
    #[error("the message holds more than {NODES_MAX} JSON values and keys: send less in one call")]
    Nodes,
    /// Too deep.
    #[error("the message is nested deeper than {DEPTH_MAX} levels")]
    Depth,
}

/// The number of values and keys of `text`: at most [`NODES_MAX`], in at most [`DEPTH_MAX`] levels.
/// A value costs at least one of `[`, `{`, `,` and `:`, so those outside of strings are
/// counted; whether the text is JSON at all is for the parser to find.
///
/// # Errors
///
/// [`TooLarge`].
pub fn measure(text: &[u8]) -> Result<usize, TooLarge> {
    let (mut nodes, mut depth, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                (nodes, depth) = (nodes + 1, depth + 1);
                if depth > DEPTH_MAX {
                    return Err(TooLarge::Depth);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b':' => nodes += 1,
            _ => {}
        }
    }
    if nodes > NODES_MAX { Err(TooLarge::Nodes) } else { Ok(nodes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_strings_only() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        for (text, expected) in [
            (list(NODES_MAX), Ok(NODES_MAX)),
            (list(NODES_MAX + 1), Err(TooLarge::Nodes)),
            (format!("\"{}\"", "[{,:".repeat(NODES_MAX)), Ok(0)),
            (format!("\"\\\"{}\"", "[".repeat(DEPTH_MAX + 1)), Ok(0)),
            (format!("\"\\\\\",{}", "[".repeat(DEPTH_MAX + 1)), Err(TooLarge::Depth)),
            ("[".repeat(DEPTH_MAX), Ok(DEPTH_MAX)),
            ("[".repeat(DEPTH_MAX + 1), Err(TooLarge::Depth)),
            ("[]".repeat(DEPTH_MAX + 1), Ok(DEPTH_MAX + 1)),
            (format!("[{}]", r#"{"a":0},"#.repeat(NODES_MAX / 2)), Err(TooLarge::Nodes)),
            ("]]]]{".to_owned(), Ok(1)),
            (String::new(), Ok(0)),
        ] {
            assert_eq!(measure(text.as_bytes()), expected, "{}", &text[..text.len().min(40)]);
        }
    }
}
