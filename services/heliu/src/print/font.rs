//! The font of a PDF: where one with Chinese letters is on this machine, and what of it a paper needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subsetter::GlyphRemapper;
use ttf_parser::{Face, Permissions, RawFace, Tag, name_id};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::say;

/// The largest of Noto's collections has some 120 MiB.
const BYTES_MAX: u64 = 256 << 20;
/// Folders below one in which fonts are, and files that are looked at.
const DEPTH: usize = 6;
const FILES_MAX: usize = 20_000;
/// What such files are called, the best first; in small letters.
const KNOWN: [&str; 16] = [
    "notoserifcjk-regular",
    "notoserifcjksc-regular",
    "notosanscjk-regular",
    "notosanscjksc-regular",
    "sourcehanserif",
    "sourcehansans",
    "notoserifsc",
    "notosanssc",
    "simsun",
    "songti",
    "uming",
    "wqy-microhei",
    "wqy-zenhei",
    "msyh",
    "pingfang",
    "droidsansfallback",
];
/// Faces of a collection that have the letters as they are written in China.
const OF_CHINA: [&str; 4] = [" SC", " CN", "SimSun", "MicroHei"];
/// One that every such font has.
const CHINESE: char = '党';

/// A face of a font file, as it was read.
pub struct Font {
    path: PathBuf,
    data: Vec<u8>,
    index: u32,
}

/// The letters of a paper in a font: what is embedded.
pub struct Embedded {
    /// OpenType's CFF, or TrueType.
    pub is_cff: bool,
    pub program: Vec<u8>,
    /// Of each letter its glyph in `program`, and how wide that is in thousandths of its height.
    pub glyphs: BTreeMap<char, (u16, f32)>,
    /// What the font has no glyph for.
    pub missing: Vec<char>,
    pub box_: [f32; 4],
    pub ascent: f32,
    pub descent: f32,
    pub is_fixed: bool,
}

impl Font {
    /// The one that is named, or the best that there is.
    pub fn find(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            Some(path) => Font::read(path),
            None => Font::read(&installed(&folders()).ok_or_else(none)?),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let data = heliu_disk::small_file::read(path, BYTES_MAX).map_err(|why| Failure::bad_file(path, &why))?;
        let faces = ttf_parser::fonts_in_collection(&data).unwrap_or(1).min(64);
        let is_of_china = |index: &u32| {
            Face::parse(&data, *index).is_ok_and(|face| {
                let names = face.names().into_iter().filter(|name| name.name_id == name_id::FULL_NAME);
                let full: Vec<String> = names.filter_map(|name| name.to_string()).collect();
                full.iter().any(|name| OF_CHINA.iter().any(|mark| name.contains(mark)) && !name.contains("Mono"))
            })
        };
        let index = (0..faces).find(is_of_china).unwrap_or(0);
        let font = Font { path: path.to_owned(), data, index };
        if font.face()?.permissions() == Some(Permissions::Restricted) {
            let shown = path.display();
            let why = say!("它的制作者不许嵌入文件", "its maker does not let it be embedded");
            return Err(unfit(say!("不能使用字体 {shown}", "the font {shown} cannot be used")).why(why));
        }
        Ok(font)
    }

    fn face(&self) -> Result<Face<'_>, Failure> {
        let shown = self.path.display();
        Face::parse(&self.data, self.index).map_err(|error| {
            unfit(say!(
                "{shown} 不是可用的字体文件(TTF、OTF、TTC)",
                "{shown} is no font that can be used (TTF, OTF or TTC)"
            ))
            .because(error)
        })
    }

    /// What of it these letters need.
    pub fn embed(&self, letters: impl IntoIterator<Item = char>) -> Result<Embedded, Failure> {
        let face = self.face()?;
        let scale = 1_000.0 / f32::from(face.units_per_em());
        let mut remapper = GlyphRemapper::new();
        let (mut glyphs, mut missing) = (BTreeMap::new(), Vec::new());
        for letter in letters {
            if glyphs.contains_key(&letter) || missing.contains(&letter) {
                continue;
            }
            match face.glyph_index(letter) {
                Some(glyph) => {
                    let width = f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * scale;
                    glyphs.insert(letter, (remapper.remap(glyph.0), width));
                }
                None => missing.push(letter),
            }
        }
        let shown = self.path.display();
        let program = subsetter::subset(&self.data, self.index, &remapper).map_err(|error| {
            unfit(say!("不能从字体 {shown} 中取出所需的字", "the letters cannot be taken out of the font {shown}"))
                .because(error)
        })?;
        // Of a font in OpenType's outlines a PDF takes the outlines alone.
        let cff =
            RawFace::parse(&program, 0).ok().and_then(|raw| raw.table(Tag::from_bytes(b"CFF ")).map(<[u8]>::to_vec));
        let whole = face.global_bounding_box();
        let scaled = |units: i16| f32::from(units) * scale;
        Ok(Embedded {
            is_cff: cff.is_some(),
            program: cff.unwrap_or(program),
            glyphs,
            missing,
            box_: [scaled(whole.x_min), scaled(whole.y_min), scaled(whole.x_max), scaled(whole.y_max)],
            ascent: scaled(face.ascender()),
            descent: scaled(face.descender()),
            is_fixed: face.is_monospaced(),
        })
    }
}

fn unfit(what: crate::text::Say) -> Failure {
    Failure::new(Exit::Usage, "font", what).next(say!(
        "用 --font 另指定一个中文字体文件,或不加 --pdf:网页用浏览器打印,不需要它",
        "name another font file with --font, or leave out --pdf: a browser prints the page without one"
    ))
}

fn none() -> Failure {
    Failure::new(
        Exit::Failed,
        "no_font",
        say!("这台机器上没有找到中文字体,写不成 PDF", "no font with Chinese letters was found on this machine, and a PDF needs one"),
    )
    .next(say!(
        "请安装一个(Debian、Ubuntu:apt install fonts-noto-cjk),或用 --font 指定字体文件;不加 --pdf 则写成网页,由浏览器打印",
        "install one (Debian and Ubuntu: apt install fonts-noto-cjk) or name a file with --font; without --pdf it is a page, which a browser prints"
    ))
}

/// Where systems keep fonts.
fn folders() -> Vec<PathBuf> {
    let own = std::env::var_os("HOME").map(PathBuf::from);
    let own = own
        .into_iter()
        .flat_map(|home| [".local/share/fonts", ".fonts", "Library/Fonts"].map(|folder| home.join(folder)));
    let shared =
        ["/usr/local/share/fonts", "/usr/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "C:\\Windows\\Fonts"];
    own.chain(shared.map(PathBuf::from)).collect()
}

/// The best font with Chinese letters in these folders: by what its file is called, and then by what is in it.
fn installed(folders: &[PathBuf]) -> Option<PathBuf> {
    let (mut found, mut left): (Vec<(usize, PathBuf)>, usize) = (Vec::new(), FILES_MAX);
    let mut open: Vec<(PathBuf, usize)> = folders.iter().map(|folder| (folder.clone(), 0)).collect();
    while let Some((folder, depth)) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < DEPTH {
                    open.push((path, depth + 1));
                }
                continue;
            }
            let name = entry.file_name().to_string_lossy().to_lowercase();
            let is_font = [".ttf", ".otf", ".ttc", ".otc"].iter().any(|ending| name.ends_with(ending));
            if let Some(rank) = KNOWN.iter().position(|known| name.starts_with(known)).filter(|_| is_font) {
                found.push((rank, path));
            }
        }
    }
    found.sort();
    let has_chinese = |path: &PathBuf| {
        Font::read(path).is_ok_and(|font| font.face().is_ok_and(|face| face.glyph_index(CHINESE).is_some()))
    };
    found.into_iter().map(|(_, path)| path).find(has_chinese)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A font of this machine, whatever letters it has; some machines have none.
    pub fn any() -> Option<PathBuf> {
        let has = ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/System/Library/Fonts/Helvetica.ttc"];
        installed(&folders()).or_else(|| has.into_iter().map(PathBuf::from).find(|path| path.exists()))
    }

    #[test]
    fn without_a_font_it_is_said_what_to_install_and_a_file_that_is_none_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(installed(&[folder.path().to_owned()]), None);
        let none = none();
        let next = none.next.expect("what to do");
        assert!(next.zh.contains("fonts-noto-cjk") && next.en.contains("--font"), "{next:?}");
        let bad = folder.path().join("NotoSansCJK-Regular.ttc");
        heliu_disk::write_new(&bad, b"ttcf and then nothing that is a font").expect("it is written");
        assert_eq!(installed(&[folder.path().to_owned()]), None, "its name alone is not enough");
        let refused = Font::find(Some(&bad)).err().expect("it is none");
        assert_eq!(refused.code, "font");
        let cut = folder.path().join("cut.ttf");
        if let Some(any) = any() {
            let whole = heliu_disk::small_file::read(&any, BYTES_MAX).expect("a font");
            heliu_disk::write_new(&cut, &whole[..4_000.min(whole.len())]).expect("it is written");
            assert!(Font::find(Some(&cut)).and_then(|font| font.embed(['a'])).is_err(), "one that was cut short");
        }
    }
}
