//! A paper as one page of HTML for any browser to print: A4, its style within it, and nothing that is asked of anybody else. Whatever
//! stands on it is others' words: escaped here, once.

use super::paper::{Block, Paper, Table};
use crate::text::{Language, clean, language};

const STYLE: &str = "\
@page{size:A4;margin:20mm}\
body{font-family:'Noto Serif CJK SC','Source Han Serif SC','Songti SC',SimSun,serif;font-size:14pt;line-height:1.7;\
max-width:170mm;margin:10mm auto;color:#000;background:#fff;overflow-wrap:anywhere}\
h1{font-size:18pt;text-align:center;margin:6mm 0 4mm;font-weight:bold;break-after:avoid}\
p{margin:2mm 0}.text{text-indent:2em}.right{text-align:right}.note{font-size:10.5pt}\
.cut{border-top:1px dashed #000;text-align:center;font-size:10.5pt;margin:8mm 0 6mm}\
table{border-collapse:collapse;width:100%;font-size:11pt;line-height:1.4}\
th,td{border:1px solid #000;padding:1mm 2mm;text-align:left;vertical-align:top}\
thead{display:table-header-group}tr{break-inside:avoid}.rows th{width:30%;font-weight:normal}\
@media print{body{margin:0 auto}}";

pub fn page(paper: &Paper) -> String {
    let (language, title) = (tag(language()), escaped(&paper.title));
    let body: String = paper.blocks.iter().map(block).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn tag(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>\n", escaped(text)),
        Block::Text(text) => paragraph("text", text),
        Block::Address(text) => paragraph("address", text),
        Block::Right(lines) => lines.iter().map(|line| paragraph("right", line)).collect(),
        Block::Note(text) => paragraph("note", text),
        Block::Cut(text) => paragraph("cut", text),
        Block::Rows(rows) => {
            let row = |(name, value): &(String, String)| {
                format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(value))
            };
            format!("<table class=\"rows\">\n{}</table>\n", rows.iter().map(row).collect::<String>())
        }
        Block::Table(of) => table(of),
    }
}

fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escaped(text))
}

fn table(table: &Table) -> String {
    let cells = |tag: &str, cells: &[String]| -> String {
        cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let heading = cells("th", &table.headings);
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect();
    format!("<table>\n<thead><tr>{heading}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

/// What is hidden in it is there to be seen, and nothing in it is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_markup_and_nothing_is_asked_of_anybody_else() {
        let hostile = "<script>alert('甲')</script>&\"><img src=http://evil.example/x>\u{202e}\n";
        let table = Table { headings: vec![hostile.to_owned()], widths: vec![1], rows: vec![vec![hostile.to_owned()]] };
        let paper = Paper::new(hostile)
            .with(Block::Text(hostile.to_owned()))
            .with(Block::Address(hostile.to_owned()))
            .with(Block::Right(vec![hostile.to_owned()]))
            .with(Block::Rows(vec![(hostile.to_owned(), hostile.to_owned())]))
            .with(Block::Table(table))
            .with(Block::Note(hostile.to_owned()))
            .with(Block::Cut(hostile.to_owned()));
        let page = page(&paper);
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(&#39;甲&#39;)").count(), 11, "each of them is there to be read");
        for outside in [" src=\"", " href=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("size:A4") && page.contains("default-src 'none'"));
    }
}
