"""Ways in which one name may be written (異体字): for finding people, never for writing of them.

Of the libraries those of 常用漢字表 lack 濵, 嶋 and 舘, one for all of Unicode takes 叶 for a Chinese 葉,
and one of all registers is 70 MB: so these few.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import Final

_OLD_FORMS: Final = """
亞亜 惡悪 爲為 榮栄 衞衛 圓円 緣縁 薗園 應応 櫻桜 奧奥 橫横 溫温 價価 壞壊 懷懐 樂楽 渴渇 卷巻 陷陥
寬寛 氣気 僞偽 戲戯 虛虚 峽峡 狹狭 曉暁 駈駆 勳勲 薰薫 惠恵 揭掲 鷄鶏 藝芸 擊撃 縣県 儉倹 險険 圈圏
檢検 顯顕 驗験 嚴厳 廣広 恆恒 黃黄 國国 黑黒 碎砕 雜雑 兒児 濕湿 實実 壽寿 收収 從従 澁渋 獸獣 縱縦
緖緒 敍叙 將将 涉渉 燒焼 奬奨 條条 狀状 乘乗 淨浄 剩剰 疊畳 孃嬢 讓譲 釀醸 眞真 寢寝 愼慎 盡尽 粹粋
醉酔 穗穂 瀨瀬 靜静 攝摂 專専 戰戦 纖繊 禪禅 壯壮 爭争 莊荘 搜捜 巢巣 曾曽 裝装 瘦痩 騷騒 增増 藏蔵
臟臓 卽即 帶帯 滯滞 瀧滝 單単 團団 彈弾 晝昼 鑄鋳 廳庁 徵徴 聽聴 鎭鎮 轉転 傳伝 燈灯 盜盗 稻稲 德徳
拜拝 盃杯 賣売 髮髪 拔抜 晚晩 祕秘 冨富 拂払 佛仏 步歩 峯峰 飜翻 每毎 萬万 默黙 埜野 彌弥 藥薬 與与
搖揺 樣様 謠謡 來来 賴頼 覽覧 龍竜 凉涼 綠緑 淚涙 壘塁 禮礼 曆暦 歷歴 鍊錬 郞郎 錄録 亙亘 凜凛 堯尭
巖巌 晄晃 檜桧 槇槙 禰祢 禱祷 祿禄 穰穣 萠萌 遙遥
"""
"""Pairs of 戸籍法施行規則 別表第二: what a name may be registered with, and the form it is told to be of."""
_IN_FAMILY_NAMES: Final = """
高髙 崎﨑碕嵜 辺邊邉 斉斎齊齋 浜濱濵 沢澤 島嶋嶌 橋槗𣘺 吉𠮷 桑桒 館舘 昇曻 淵渕渊 藪薮籔 鴎鷗 岳嶽
剣劍劔 済濟 松枩柗 船舩 萊莱 柳栁 村邨 庵菴 鉄鐵鐡鉃 宝寶寳 関關 学學 豊豐 会會 朗朖 清淸 青靑 糸絲
亀龜 鶴靏靍 兎兔菟 頴穎 芦蘆 桝枡 梨棃 麹麴 梅楳 養飬 砺礪 塩鹽 土圡 冴冱 煕熙熈 晋晉 隣鄰 鯵鰺 蛎蠣
浅淺 滿満 窪窐 釜釡
"""
"""What registers of families have beside them; most of them lead to one character in MJ縮退マップ too."""


def alike(character: str) -> frozenset[str]:
    """What the character may be written as, itself among it; letters large and small."""
    return _FAMILIES.get(character, frozenset((character, character.lower(), character.upper())))


def _families() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    compatible = (chr(code) for code in (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)))
    pairs = (unicodedata.normalize("NFKC", one) + one for one in compatible)
    for family in (*_OLD_FORMS.split(), *_IN_FAMILY_NAMES.split(), *pairs):
        alike = set(family).union(*(found[one] for one in family))
        for one in alike:
            found[one] = alike
    return {one: frozenset(alike) for one, alike in found.items()}


_FAMILIES: Final = _families()
