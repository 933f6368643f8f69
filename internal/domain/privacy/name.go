package privacy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// surnames are those of nine in ten people; those that are words as well are told from them by notNames.
	surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢骆岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹肖欧柯卓"
	// notGiven are characters that no given name has and that come after one where nothing stands between.
	notGiven = "我你您他她它们的是在要想了吗呢吧啊不请和与跟也这那就已还把被给电手地订住号联收寄改换怎什么错对能可没有"
)

// compound are surnames of two characters, notNames words that begin like a name.
func compound() []string {
	return []string{"欧阳", "司马", "上官", "诸葛", "司徒", "夏侯", "慕容", "皇甫", "令狐", "东方"}
}

func notNames() []string {
	return []string{
		"何时", "何处", "何地", "何必", "方式", "方便", "方法", "方面", "任何", "任务", "关于", "应该", "安排", "安全", "安装", "严重", "金额", "余额", "余款", "于是",
		"高级", "高于", "易碎", "时间", "时候", "常用", "文字", "文件", "管理", "申请", "向您", "万一", "段时", "白色", "黄色", "马上", "石头", "程序", "康复", "江苏", "江西", "龙江",
		"田地", "陆续", "毕竟", "左右", "钱款", "许久", "许多", "谢谢", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "周末", "周边", "周年",
		"高兴", "任意", "金色", "方形", "牛奶", "牛肉", "龙虾", "白菜", "石榴", "熊猫", "高德", "唐装", "江南", "江北", "韩国", "安静", "安心", "全部", "常温", "温度",
	}
}

// cues are what a name stands behind.
func cues() []string {
	return []string{"姓名", "收件人", "收货人", "寄件人", "发件人", "联系人", "持卡人", "开户人", "户名", "收方", "名字", "我叫", "本人叫"}
}

// titles are what stands behind a surname.
func titles() []string { return []string{"先生", "女士", "小姐", "太太"} }

// maskNames puts Name in the place of what stands behind a cue and may be a name, and of a surname before a title or behind 我姓.
func maskNames(runes []rune) []rune {
	cues, titles := cues(), titles()
	var masked []rune
	for i := 0; i < len(runes); {
		if n := surname(runes, i); n > 0 && (startsAny(runes, i+n, titles) > 0 || i > 1 && starts(runes, i-2, "我姓")) {
			masked, i = append(masked, []rune(Name)...), i+n
			continue
		}
		cue := startsAny(runes, i, cues)
		if cue == 0 {
			masked = append(masked, runes[i])
			i++
			continue
		}
		from, colon := link(runes, i+cue)
		masked = append(masked, runes[i:from]...)
		if i = from; colon {
			from += labelled(runes, i)
		} else {
			from += person(runes, i)
		}
		if from > i {
			masked, i = append(masked, []rune(Name)...), from
		}
	}
	return masked
}

// startsAny is the length of the first of the texts that stands at a place; 0 for none.
func startsAny(runes []rune, at int, texts []string) int {
	for _, text := range texts {
		if starts(runes, at, text) {
			return utf8.RuneCountInString(text)
		}
	}
	return 0
}

// link skips what stands between a cue and a name: 是, 叫, 为, a colon, spaces.
func link(runes []rune, from int) (end int, colon bool) {
	for from < len(runes) && strings.ContainsRune("是叫为:\uff1a \u3000", runes[from]) {
		colon = colon || runes[from] == ':' || runes[from] == '\uff1a'
		from++
	}
	return from, colon
}

// surname is the length of the one that stands at a place; 0 for none.
func surname(runes []rune, at int) int {
	if n := startsAny(runes, at, compound()); n > 0 {
		return n
	}
	if at < len(runes) && strings.ContainsRune(surnames, runes[at]) && startsAny(runes, at, notNames()) == 0 {
		return 1
	}
	return 0
}

// person is the length of a name that stands at a place: a surname with one or two characters more, or one that people are called by,
// such as 小美.
func person(runes []rune, at int) int {
	n := surname(runes, at)
	if n == 0 && at < len(runes) && strings.ContainsRune("小阿", runes[at]) {
		n = 1
	}
	given := 0
	for n > 0 && given < 2 && at+n+given < len(runes) && isGiven(runes[at+n+given]) {
		given++
	}
	if given == 0 && n < 2 {
		return 0
	}
	return n + given
}

// labelled is the length of what stands behind a cue with a colon: a name, or all up to the next gap that is as short as one.
func labelled(runes []rune, at int) int {
	n, foreign := 0, false
	for at+n < len(runes) && (unicode.IsLetter(runes[at+n]) || runes[at+n] == '·') {
		foreign = foreign || runes[at+n] == '·' || runes[at+n] < unicode.MaxASCII
		n++
	}
	if foreign && n <= 30 {
		return n
	}
	if n == 1 && surname(runes, at) == 1 {
		return 1
	}
	if known := person(runes, at); known > 0 {
		return known
	}
	if n < 2 || n > 3 || !isGiven(runes[at]) || !isGiven(runes[at+1]) || !isGiven(runes[at+n-1]) {
		return 0
	}
	return n
}

func isGiven(r rune) bool { return unicode.Is(unicode.Han, r) && !strings.ContainsRune(notGiven, r) }

// maskNeighbours puts Name in the place of what is nothing but a name and stands beside a telephone or an address, as people write to
// where something is to be sent: 张三,13800138000.
func maskNeighbours(text string) string {
	pieces := split(text)
	var masked strings.Builder
	for i, piece := range pieces {
		runes := []rune(piece)
		if n := surname(runes, 0); n > 0 && person(runes, 0) == len(runes) && (leadsTo(pieces, i, -1) || leadsTo(pieces, i, 1)) {
			piece = Name
		}
		masked.WriteString(piece)
	}
	return masked.String()
}

// split takes a text apart into what stands for something, what is written, and what is between.
func split(text string) (pieces []string) {
	begun := 0
	between := false
	for i, r := range text {
		gap := unicode.IsSpace(r) || unicode.IsPunct(r) && r != '[' && r != ']'
		if i > begun && (gap != between || r == '[' || text[i-1] == ']') {
			pieces, begun = append(pieces, text[begun:i]), i
		}
		between = gap
	}
	return append(pieces, text[begun:])
}

// leadsTo says whether the next piece with words in a direction is a telephone or an address.
func leadsTo(pieces []string, from, direction int) bool {
	for i := from + direction; i >= 0 && i < len(pieces); i += direction {
		if pieces[i] == Phone || pieces[i] == Address {
			return true
		}
		if strings.ContainsFunc(pieces[i], func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			return false
		}
	}
	return false
}
