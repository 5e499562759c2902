"""What the shops sell: perfumes of known houses, and of houses that no list knows."""

from .kit import items

KNOWN_JA = items("""
Byredo=バイレード; Bal d’Afrique=バル ダフリック; U EDP フローラル ウッディ; ベルガモット, レモン, ネロリ; バイオレット, ジャスミン, シクラメン; ベチバー, モロッカンシダー, ムスク; 春秋 デート デイリー
Chanel=シャネル; Bleu de Chanel=ブルー ドゥ シャネル; M EDP ウッディ アロマティック; レモン, ミント, ピンクペッパー; ジンジャー, ナツメグ; インセンス, シダー; 春秋 オフィス
Chanel=シャネル; Chance Eau Tendre=チャンス オー タンドゥル; L EDT フローラル フルーティー; グレープフルーツ, クインス; ヒヤシンス, ジャスミン; ムスク, アイリス; 春 デート
Dior=ディオール; Sauvage=ソヴァージュ; M EDT アロマティック; ペッパー, カラブリアンベルガモット; ゼラニウム, ラベンダー; アンブロキサン, シダー; 春夏 デイリー
Dior=ディオール; Sauvage=ソヴァージュ; M EDP アロマティック; ベルガモット; スターアニス, ナツメグ; アンブロキサン, バニラ; 秋冬 パーティー
Hermès=エルメス; Eau d’Orange Verte=オー ドランジュ ヴェルト; U EDC シトラス; レモン, マンダリン, ミント; パパイヤ; オークモス, パチュリ; 夏 リラックス
Guerlain=ゲラン; Mitsouko=ミツコ; L EDT シプレ; ベルガモット; ピーチ, ローズ, クローブ; ベチバー, オークモス; 秋 デート
Penhaligon's=ペンハリガン; Halfeti=ハルフェティ; U EDP スパイシー; サフラン, グレープフルーツ; ジャスミン, ローズ; レザー, ウード, 樹脂; 冬 パーティー
Tom Ford=トム フォード; Oud Wood=ウード ウッド; U EDP ウッディ; カルダモン, ローズウッド; ウード, サンダルウッド; トンカビーン, アンバー; 秋冬 デート
Gucci=グッチ; Gucci Bloom=グッチ ブルーム; L EDP フローラル; ジャスミン; チュベローズ; ラングーンクリーパー; 春夏 デイリー
Le Labo=ル ラボ; Santal 33=サンタル 33; U EDP ウッディ; サンダルウッド, カルダモン, バイオレット, レザー; 秋冬 デイリー
Comme des Garçons=コム デ ギャルソン; 2 Man=2 マン; M EDT ウッディ; アルデヒド, 白い煙; インセンス, サフラン; ベチバー, レザー; 冬 オフィス
""")

INVENTED_JA = items("""
Maru=マル; Luna=ルナ; U EDP フローラル; ユズ, ミント; 白梅, 椿; 白檀, ムスク; 春 デイリー
Maru=マル; Luna=ルナ; U EDT シトラス; ユズ, 夏みかん; 白梅; シダー, ムスク; 夏 オフィス
Maru=マル; New Snow=ニュー スノー; L EDP ムスキー; アルデヒド, ライム; すみれ, アイリス; 綿, ムスク; 冬 リラックス
Maru=マル; Yuki Tous=ユキ トゥース; L EDT フローラル; ピーチ, すもも; 桜, 鈴蘭; ムスク, アンバー; 春 デート
Maison Hama=メゾン ハマ; 24 Nights in Gold=24 ナイツ イン ゴールド; U EDP オリエンタル; サフラン, ラム; ローズ, シナモン; ウード, 蜜蝋; 秋冬 パーティー
Maison Hama=メゾン ハマ; Eau de Kyoto=オー ド キョウト; U EDC グリーン; 抹茶, 柚子皮; 笹, 蓮; 檜, 苔; 夏 リラックス
アトリエ千草; 月あかりの庭; L EDP フローラル; ユズ, 山椒; 白梅, 椿; 白檀, 墨; 春秋 デイリー
アトリエ千草; 朝の庭 第二番; U EDT グリーン; 青りんご, 露草; ミュゲ, 若葉; 苔, ムスク; 春夏 オフィス
Kumo & Co.=クモ アンド コー; No. 4 Cedar=No. 4 シダー; M EDP ウッディ; ヒノキ, ベルガモット; シダーウッド, 山椒; ベチバー, モス; 秋 オフィス
Kumo & Co.=クモ アンド コー; Creed of Winter=クリード オブ ウィンター; M EDP スパイシー; ジンジャー, カルダモン; インセンス; レザー, アンバー; 冬 デート
""")

KNOWN_EN = items("""
Lattafa; Khamrah; U EDP Oriental; Cinnamon, Nutmeg, Bergamot; Dates, Praline, Tuberose; Vanilla, Tonka Bean, Benzoin; -
Lattafa; Asad; M EDP Spicy; Black Pepper, Tobacco, Pineapple; Patchouli, Coffee, Iris; Vanilla, Amber, Dry Woods; -
Armaf; Club de Nuit Intense; M EDT Woody; Lemon, Apple, Blackcurrant; Birch, Jasmine; Ambergris, Musk, Patchouli; -
Creed; Aventus; M EDP Fruity; Pineapple, Bergamot, Blackcurrant; Birch, Patchouli, Rose; Oakmoss, Musk; -
Diptyque; Philosykos; U EDT Green; Fig Leaf, Fig; Green Notes, Coconut; Fig Tree, White Cedar; -
Chloé; Nomade; L EDP Chypre; Mirabelle, Bergamot; Freesia, Peach; Oakmoss, White Musk; -
""")

INVENTED_EN = items("""
Maru; Luna oud; U EDP Woody; Saffron, Pink Pepper; Turkish Rose, Oud; Amber, Vetiver; -
Maru; new moon; L EDT Floral; Pear, Aldehydes; Violet, White Tea; Clean Musk, Cotton; -
Maru; Luna; L EDP Floral; Yuzu, Mint; Plum Blossom, Camellia; Sandalwood, Musk; -
Tidewater; Salt Fig; U EDP Green; Fig Leaf, Sea Salt; Fig, Driftwood; Cedar, Grey Musk; -
Tidewater; Cedar by Night; M EDP Woody; Cypress, Juniper; Cedar, Incense; Leather, Smoke; -
Hollis & Wren; Velvet 1890; L EDP Oriental; Blackcurrant, Plum; Damask Rose, Peony; Patchouli, Vanilla; -
Hollis & Wren; 24 Lanterns; U EDT Citrus; Mandarin, Lime; Orange Blossom, Ginger; Cedar, White Amber; -
North Quay; Eau Nocturne; M EDT Aquatic; Sea Spray, Lemon; Lavender, Sage; Ambergris, Oakmoss; -
North Quay; New Harbour; U EDC Citrus; Grapefruit, Basil; Rosemary, Neroli; Vetiver, Cedar; -
Maru; Yuki Tous; L EDT Floral; Peach, Plum; Cherry Blossom, Lily of the Valley; Musk, Amber; -
North Quay; Oud 7; M EDP Oriental; Nutmeg, Rum; Oud, Tobacco; Tonka Bean, Benzoin; -
""")

PORTUGUESE = items("""
Casa Ipê; Noite de Ipê; L EDP Floral; Pitanga, Mandarina; Flor de ipê, Jasmim; Baunilha, Cumaru; -
Casa Ipê; Brisa 21; M EDT Cítrico; Limão-siciliano, Hortelã; Alecrim, Lavanda; Cedro, Almíscar; -
Lattafa; Yara; L EDP Floral; Orquídea, Heliotrópio; Acorde gourmand, Frutas tropicais; Baunilha, Sândalo; -
Maré Alta; Eau de Recife; U EDC Cítrico; Caju, Bergamota; Capim-limão, Gengibre; Vetiver, Musgo; -
Maré Alta; Oud Tropical; M EDP Amadeirado; Pimenta-rosa, Rum; Oud, Tabaco; Âmbar, Couro; -
""")

FRENCH = items("""
Maison Sarrazin; L’Heure Grise; L EDP Floral; Bergamote, Poire; Iris, Violette; Musc blanc, Bois de santal; -
Maison Sarrazin; Nuit n° 9; M EDT Boisé; Poivre noir, Cardamome; Cèdre, Encens; Cuir, Vétiver; -
Guerlain; Habit Rouge; M EDT Oriental; Citron, Orange; Œillet, Cannelle; Vanille, Cuir; -
Atelier Sorel; Eau de Brume; U EDC Frais; Menthe, Citron vert; Thé vert, Néroli; Mousse, Ambre gris; -
Atelier Sorel; Rose à l’envers; L EDP Floral; Litchi, Framboise; Rose de mai, Pivoine; Patchouli, Benjoin; -
""")

GERMAN = items("""
Haus Lindner; Morgenrot; L EDP Blumig; Birne, Zitrone; Pfingstrose, Maiglöckchen; Moschus, Zedernholz; -
Haus Lindner; Werk 12; M EDT Holzig; Wacholder, Minze; Lavendel, Salbei; Leder, Vetiver; -
Lattafa; Yara; L EDP Gourmand; Heliotrop, Orchidee; Tropische Früchte, Gourmand-Akkord; Vanille, Moschus; -
Elbufer; Neue Stille; U EDP Pudrig; Bergamotte, Aldehyde; Iris, Veilchen; Sandelholz, Amber; -
Elbufer; Oud im Nebel; M EDP Orientalisch; Safran, Rosa Pfeffer; Oud, Rose; Weihrauch, Benzoe; -
""")
