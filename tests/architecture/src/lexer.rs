//! Rust source without its comments and literals, so that a rule about code does not trip over words about code.

/// The same text, line by line, with every comment and every string or character literal blanked out.
pub fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let after_word = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            '\'' => character(rest),
            'r' | 'b' | 'c' if !after_word => prefixed_string(rest),
            _ => 0,
        };
        let (blank, tail) = rest.split_at(length);
        code.extend(blank.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        rest = tail;
        if length == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// A source without the tests at its end.
pub fn shipped(source: &str) -> &str {
    source.find("#[cfg(test)]\nmod tests {").map_or(source, |end| &source[..end])
}

/// Bytes up to the end of the (possibly nested) block comment that `text` begins with.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += step.0;
        at += step.1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Bytes of the string literal that `text` begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of `'x'` or `'\n'`; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            text[from..].find('\'').map_or(text.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Bytes of `r"..."`, `br#"..."#`, `b"..."`, `c"..."`; 0 for a mere word.
fn prefixed_string(text: &str) -> usize {
    let letters = text.len() - text.trim_start_matches(['r', 'b', 'c']).len();
    let hashes = text[letters..].len() - text[letters..].trim_start_matches('#').len();
    let opening = letters + hashes;
    if letters > 2 || !text[opening..].starts_with('"') {
        return 0;
    }
    if !text[..letters].contains('r') {
        return if hashes == 0 { letters + string(&text[letters..]) } else { 0 };
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[opening + 1..].find(&end).map_or(text.len(), |at| opening + 1 + at + end.len())
}

#[test]
fn comments_and_literals_are_blank_and_code_is_not() {
    for (source, code) in [
        ("a // todo!()\nb", "a b"),
        ("a /* x /* y */ z */ b", "a b"),
        (r#"f("todo!()", x)"#, "f( , x)"),
        (r#"f("\"todo!()", x)"#, "f( , x)"),
        ("f(r#\"a\"b\"#, x)", "f( , x)"),
        ("f(br\"a\", b\"b\", x)", "f( , , x)"),
        ("f('\"', '\\'', '\\u{1F}', x)", "f( , , , x)"),
        ("fn f<'a>(x: &'a str) { r }", "fn f<'a>(x: &'a str) { r }"),
        ("let r#type = bar\"x\";", "let r#type = bar ;"),
        ("文 // 文\nd", "文 d"),
        ("a \"never\nclosed", "a"),
    ] {
        let blanked = code_only(source);
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), code, "{source}");
        assert_eq!(blanked.lines().count(), source.lines().count(), "lines keep their numbers: {source}");
        assert_eq!(blanked.chars().count(), source.chars().count(), "columns keep their numbers: {source}");
    }
}
