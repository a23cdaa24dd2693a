//! In which letters a text is written. Spreadsheets in China save GB18030 (GBK and GB2312 are parts of it), Excel's "Unicode text"
//! is UTF-16; all else is UTF-8. A text that is cut or spoilt is refused, and never shown in the wrong letters.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::line::Unreadable;
use crate::text::say;

pub fn decode(bytes: &[u8]) -> Result<(String, &'static str), Unreadable> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let body = &bytes[mark..];
    let (text, name) = if encoding == UTF_16LE || encoding == UTF_16BE {
        let text = encoding.decode_without_bom_handling_and_without_replacement(body);
        (text.ok_or_else(|| spoilt(1, "UTF-16"))?.into_owned(), "UTF-16")
    } else {
        match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), "UTF-8"),
            Err(error) if mark > 0 || is_mostly_utf8(body) => {
                return Err(spoilt(line_of(&body[..error.valid_up_to()]), "UTF-8"));
            }
            Err(error) => {
                let text = GB18030.decode_without_bom_handling_and_without_replacement(body);
                let text = text.ok_or_else(|| spoilt(line_of(&body[..error.valid_up_to()]), "UTF-8, GB18030"))?;
                (text.into_owned(), "GB18030")
            }
        }
    };
    if text.contains('\0') {
        return Err(Unreadable::whole(say!("这不是文字文件", "this is not a file of text")));
    }
    Ok((text, name))
}

/// Of GB18030 hardly anything reads as UTF-8 by chance; of UTF-8 that is cut nearly all does.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut well, mut ill) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        well += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        ill += usize::from(!chunk.invalid().is_empty());
    }
    well > 3 * ill
}

fn line_of(before: &[u8]) -> u64 {
    1 + before.iter().filter(|b| **b == b'\n').count() as u64
}

fn spoilt(line: u64, encoding: &str) -> Unreadable {
    Unreadable {
        line,
        reason: say!(
            "此处的字节不是 {encoding} 文字:文件可能不完整,请在表格软件中另存为“CSV UTF-8”或 .xlsx",
            "the bytes here are no text in {encoding}: the file may be cut; save it again as \"CSV UTF-8\" or .xlsx"
        ),
    }
}
