//! A paper before it is printed: what stands on it, in its order. How it looks is for `html` and `pdf`; where the words come from is for
//! `letter`, `card` and `roster`.

/// Something to print, of as many pages as it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paper {
    /// What a window or a list of files shows.
    pub title: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Title(String),
    /// A paragraph, its first line indented.
    Text(String),
    /// A line without an indent: whom a letter addresses.
    Address(String),
    /// Lines at the right: a number, a signature, a day.
    Right(Vec<String>),
    /// Names and values.
    Rows(Vec<(String, String)>),
    Table(Table),
    /// In small letters.
    Note(String),
    /// Where the paper is cut, and what is stamped over that.
    Cut(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub headings: Vec<String>,
    /// How wide the columns are, in proportion.
    pub widths: Vec<u16>,
    pub rows: Vec<Vec<String>>,
}

impl Paper {
    pub fn new(title: impl Into<String>) -> Self {
        let title = title.into();
        Paper { blocks: vec![Block::Title(title.clone())], title }
    }

    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Every text on it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().flat_map(Block::texts)
    }
}

impl Block {
    fn texts(&self) -> Vec<&str> {
        match self {
            Block::Title(text) | Block::Text(text) | Block::Address(text) | Block::Note(text) | Block::Cut(text) => {
                vec![text]
            }
            Block::Right(lines) => lines.iter().map(String::as_str).collect(),
            Block::Rows(rows) => rows.iter().flat_map(|(name, value)| [name.as_str(), value]).collect(),
            Block::Table(table) => {
                table.headings.iter().chain(table.rows.iter().flatten()).map(String::as_str).collect()
            }
        }
    }
}
