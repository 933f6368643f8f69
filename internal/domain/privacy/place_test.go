package privacy

import "testing"

func TestMaskOfAddressesAndNames(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		// Addresses of mail.
		"an address of mail":       {"发到li.lei+1@mail.example.com吧", "发到[邮箱]吧"},
		"of digits":                {"13800138000@qq.com。", "[邮箱]。"},
		"at the end of a sentence": {"a@b.cn.", "[邮箱]."},
		"a sign without a domain":  {"@客服 在吗,价格 5@次", "@客服 在吗,价格 5@次"},
		// Places.
		"all of an address":            {"寄到上海市浦东新区张江路88号3栋502室", "寄到[地址]"},
		"with a province":              {"地址是广东省深圳市南山区科技园路1号,谢谢", "地址是[地址],谢谢"},
		"of an autonomous region":      {"新疆维吾尔自治区乌鲁木齐市天山区新华路5号", "[地址]"},
		"a street with its number":     {"在建国路88号", "在[地址]"},
		"an estate with doors":         {"送到幸福小区3号楼2单元501", "送到[地址]"},
		"doors by hyphens":             {"幸福花园3-2-501的", "[地址]的"},
		"in full-width digits":         {"长安大街１２号", "[地址]"},
		"in Chinese numerals":          {"中山路三十二号", "[地址]"},
		"a lane":                       {"我住延安西路100弄5号", "我住[地址]"},
		"a village":                    {"河北省正定县南牛村12号", "[地址]"},
		"doors alone":                  {"放3栋502室门口", "放[地址]门口"},
		"a letter for a building":      {"科技大厦A座1203室", "[地址]"},
		"districts with a street":      {"北京市朝阳区建国路能送吗", "[地址]能送吗"},
		"a city and its district stay": {"北京市朝阳区能送到吗", "北京市朝阳区能送到吗"},
		"a day of the month stays":     {"上海市5号能到吗,11月8号呢", "上海市5号能到吗,11月8号呢"},
		"a supermarket stays":          {"大超市5号发货吗", "大超市5号发货吗"},
		"a storey stays":               {"2层3座的沙发", "2层3座的沙发"},
		"ways and nets stay":           {"一路上走路5号到,网路线路5号修", "一路上走路5号到,网路线路5号修"},
		"a house alone stays":          {"3号楼几点关门", "3号楼几点关门"},
		// Names.
		"who says what they are called":          {"我叫张三,怎么退货", "我叫[姓名],怎么退货"},
		"without a gap":                          {"我叫王小明我要退货", "我叫[姓名]我要退货"},
		"who has to get it":                      {"收件人李雷电话13800138000", "收件人[姓名]电话[手机号]"},
		"behind a label":                         {"姓名\uff1a欧阳娜娜 手机\uff1a13800138000", "姓名\uff1a[姓名] 手机\uff1a[手机号]"},
		"of another alphabet":                    {"收货人:John", "收货人:[姓名]"},
		"with a dot inside":                      {"联系人:买买提·艾力", "联系人:[姓名]"},
		"a name to be called by":                 {"我叫小美", "我叫[姓名]"},
		"a surname alone":                        {"我姓诸葛", "我姓[姓名]"},
		"a title":                                {"王女士您好,请问是欧阳先生吗", "[姓名]女士您好,请问是[姓名]先生吗"},
		"beside a telephone":                     {"张三,13800138000,上海市浦东新区张江路88号", "[姓名],[手机号],[地址]"},
		"glued to a telephone":                   {"李四13800138000", "[姓名][手机号]"},
		"a label without a name stays":           {"收件人写错了怎么改,姓名可以改吗", "收件人写错了怎么改,姓名可以改吗"},
		"a label with a colon and no name stays": {"收件人:写错了", "收件人:写错了"},
		"who called a courier stays":             {"我叫了快递,我叫安装师傅", "我叫了快递,我叫安装师傅"},
		"words that begin like a name stay":      {"方便 13800138000 谢谢", "方便 [手机号] 谢谢"},
		"a gentleman without a surname stays":    {"这位先生说的", "这位先生说的"},
		"what is asked stays":                    {"周末任何时间安排都可以吗", "周末任何时间安排都可以吗"},
		"a name without a cue is not recognised": {"张三说可以退", "张三说可以退"},
		"an old address is not either":           {"老家那边的房子", "老家那边的房子"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Mask(tc.text); got != tc.want {
				t.Errorf("%q became %q, want %q", tc.text, got, tc.want)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	if got := Replace(Mask("王女士的13800138000、a@b.cn"), ""); got != "女士的、" {
		t.Errorf("left %q", got)
	}
}
