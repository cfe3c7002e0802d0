"""What is spoken in the town. Nobody is named: the voices are the same for all."""

from __future__ import annotations

from scripts.town.people import Heard

FIRST_WORDS: dict[Heard, str] = {
    Heard.PERSON: "はい、もしもし。",
    Heard.PERSON_REFUSING: "はい。どちらさまですか。",
    Heard.PERSON_IN_A_HURRY: "はい、もしもし。すみません、いま急いでいまして。",
    Heard.FAMILY_OFFERING: "はい。本人は出かけております。用件は私が聞きます。",
    Heard.FAMILY_KNOWING_WHEN: "はい。いま留守です。もうすこししたら戻ります。",
    Heard.FAMILY_OF_LONG_ABSENT: "はい。入院しておりまして、今月は戻りません。",
    Heard.NEW_TENANT: "はい。その方は、もうここには住んでいません。",
    Heard.STRANGER: "はい。いいえ、番号をお間違えではないですか。",
    Heard.MACHINE: "ただいま留守にしております。発信音のあとに、お名前とご用件をお話しください。",
}
"""What the callee says on picking up; the others say nothing."""

SUSPENDED = "おかけになった電話は、お客様のご都合により、お繋ぎできません。"
"""The carrier's announcement on a suspended line."""

OPERATOR = "お世話になっております。納付のご案内で、お電話を差し上げております。"
"""What the operators say in a talk."""

CALLER = "お電話をいただいたようですので、かけ直しました。また、こちらからお電話いたします。"
"""What somebody says who leaves a message."""
