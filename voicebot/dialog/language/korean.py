"""Korean: words of callers and words of the bot."""

from __future__ import annotations

from voicebot.dialog.language.dates import weekday_names
from voicebot.dialog.language.lexicon import Lexicon, listed, mapped
from voicebot.speech.spellout import NATIVE_KOREAN, SINO_KOREAN, spell

KOREAN = Lexicon(
    language="ko",
    yes=listed(
        """
        네, 예, 네네, 그래요, 맞아요, 맞습니다, 좋아요, 좋습니다, 그럼요, 물론이죠, 물론입니다, 응,
        그렇습니다, 그래, 맞아, 확인했습니다, 알겠습니다,
        알겠어요, 갈게요, 가겠습니다, 할게요, 하겠습니다, 그렇게 해주세요, 괜찮아요, 괜찮습니다, 오케이
        """
    ),
    no=listed(
        """
        아니요, 아니오, 아뇨, 아니, 아닙니다, 아니에요, 싫어요, 안 돼요, 안 됩니다, 안돼요, 못 가요,
        못 갑니다, 안 가요, 안 할래요, 안 해요,
        틀렸어요, 틀립니다, 아니야, 못 해요, 필요 없어요, 괜찮지 않아요, 어려워요
        """
    ),
    weak=frozenset(
        listed(
            """
            그래, 맞아, 아니, 응, 하겠습니다, 할게요
            """
        )
    ),
    unsure=listed(
        """
        글쎄요, 모르겠어요, 모르겠습니다, 잘 모르, 아마, 생각해 볼게요
        """
    ),
    fillers=listed(
        """
        음, 어, 저, 저기, 저기요, 그, 그러니까, 뭐, 좀, 제발, 여보세요, 아, 혹시, 그냥
        """
    ),
    stopwords=frozenset(
        listed(
            """
            거, 것, 그, 나는, 내가, 바꿔, 부탁드립니다, 부탁해요, 수, 싶습니다, 싶어요, 싶은데요, 연결,
            연결해, 원해요, 이, 있나요, 있어요, 저, 저는,
            제가, 좀, 주세요, 하고, 하고싶어요, 하려고요, 할, 할게요, 해, 해주세요
            """
        )
    ),
    negators=frozenset(
        listed(
            """
            못, 안
            """
        )
    ),
    lacking=("없어요", "없습니다", "없는데요"),
    undecided=frozenset(("또는", "아니면", "혹은")),
    ordinals={
        f"{word}번째": place
        for place, word in enumerate(("첫", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열"))
    }
    | {"처음": 0, "마지막": -1, "맨마지막": -1},
    beside_ordinals=frozenset(("거", "거요", "것", "걸로", "꺼", "꺼요", "걸", "으로", "로")),
    pressing=frozenset(("번", "버튼")),
    digits={
        spell(digit, "ko", rules): str(digit) for rules in (SINO_KOREAN, NATIVE_KOREAN) for digit in range(10)
    }
    | mapped("공: 0, 륙: 6, 유: 6"),
    in_grammars=2,
    weekdays={iso: (name,) for iso, name in weekday_names("ko").items()},
    commands={
        "repeat": listed(
            """
            반복, 다시, 다시 한번, 다시 말해 주세요, 다시 말씀해 주세요, 뭐라고요, 한번 더, 네 뭐라고요
            """
        ),
        "help": listed(
            """
            도움말, 도와주세요, 도움, 무슨 말을 하면 되나요, 어떻게 해요, 이해가 안 돼요
            """
        ),
        "agent": listed(
            """
            상담원, 상담사, 직원, 사람, 교환, 상담원 연결, 사람과 통화
            """
        ),
        "back": listed(
            """
            뒤로, 이전, 이전 질문, 이전으로, 앞 질문, 되돌아가, 돌아가
            """
        ),
        "cancel": listed(
            """
            그만, 그만할게요, 그만하겠습니다, 그만두, 됐어요, 없던 일로
            """
        ),
        "skip": listed(
            """
            건너뛰, 건너뛰기, 넘어가, 다음 질문, 패스, 대답하고 싶지 않아요
            """
        ),
        "opt_out": listed(
            """
            전화하지 마세요, 다시는 전화하지 마세요, 수신 거부, 수신 거부할게요, 명단에서 빼 주세요,
            번호를 지워 주세요, 번호 삭제, 전화 그만
            """
        ),
    },
    texts={
        "noinput": (
            "죄송합니다. 아무 말씀도 듣지 못했습니다.",
            "아직 들리지 않습니다.",
            "말씀이 들리지 않습니다.",
        ),
        "nomatch": (
            "죄송합니다. 이해하지 못했습니다.",
            "죄송합니다. 아직 이해하지 못했습니다. 짧게 말씀해 주세요.",
            "죄송합니다. 알아듣지 못했습니다.",
        ),
        "by_voice": ("죄송합니다. 이 질문에는 번호를 눌러 답하실 수 없습니다. 말씀해 주세요.",),
        "unheard": ("죄송합니다. 듣지 못했습니다. 다시 말씀해 주세요.",),
        "agent": ("도와드릴 상담원에게 연결해 드리겠습니다.",),
        "no_telephone": (
            "이제 상담원에게 연결해 드릴 차례입니다. 지금은 브라우저로 통화 중이라 연결할 수 없습니다. "
            "안녕히 계세요.",
        ),
        "failed": ("도와드리지 못해 죄송합니다. 안녕히 계세요.",),
        "error": ("죄송합니다. 문제가 생겼습니다. 나중에 다시 전화해 주세요. 안녕히 계세요.",),
        "help": ("편하게 말씀하시면 됩니다.", "다시 들으시려면 반복이라고 말씀해 주세요."),
        "help_agent": ("직원과 통화하시려면 상담원이라고 말씀해 주세요.",),
        "choices": ("{choices} 중에서 말씀해 주세요.",),
        "choice_key": ("{phrase}, 또는 {key}번.",),
        "or": ("또는",),
        "yes_no": ("네 또는 아니요로 말씀해 주세요.", "네는 1번, 아니요는 2번을 눌러 주세요."),
        "digits": ("숫자를 하나씩 말씀하시거나 눌러 주세요.", "숫자 {length}자리를 눌러 주세요."),
        "number": ("숫자를 말씀하시거나 눌러 주세요.",),
        "weekday": ("요일을 말씀해 주세요. 예를 들면 화요일.",),
        "time": ("시간을 말씀해 주세요. 예를 들면 오후 두 시 반.",),
        "confirm": ("{value}, 맞습니까?",),
        "unconfirmed": ("죄송합니다.",),
        "noted": ("{value}, 알겠습니다.",),
        "corrected": ("네, {value}.",),
        "invalid": ("죄송합니다. {value}, 가능하지 않습니다.",),
        "invalid_range": ("죄송합니다. {least}부터 {greatest}까지 가능합니다.",),
        "invalid_length": ("죄송합니다. {length}자리여야 합니다. {got}자리를 들었습니다.",),
        "invalid_check": ("죄송합니다. 번호가 맞지 않습니다. 다시 확인해 주세요.",),
        "invalid_past": ("죄송합니다. {value}, 이미 지났습니다.",),
        "incomplete_date": ("{value}. 몇 시가 좋으세요?",),
        "incomplete_time": ("{value}. 어느 날이 좋으세요?",),
        "missing": ("{called}, 알려 주시겠어요?",),
        "no_agent": ("죄송합니다. 지금은 연결해 드릴 직원이 없습니다.",),
        "no_back": ("첫 질문입니다.",),
        "needed": ("죄송합니다. 이 질문에는 답이 필요합니다.",),
        "cancel": ("여기서 그만하시겠어요?",),
        "cancelled": ("알겠습니다. 안녕히 계세요.",),
        "opted_out": ("알겠습니다. 다시 전화드리지 않겠습니다. 안녕히 계세요.",),
        "skipped": ("알겠습니다.",),
        "waiting": ("잠시만 기다려 주세요.",),
        "date": ("날짜를 말씀해 주세요. 예를 들면 다음 주 화요일.",),
        "datetime": ("날짜와 시간을 말씀해 주세요. 예를 들면 화요일 오후 세 시.",),
        "money": ("금액을 말씀하시거나 눌러 주세요.",),
        "phone": ("전화번호를 하나씩 말씀하시거나 눌러 주세요.",),
        "email": ("이메일 주소를 한 글자씩 말씀해 주세요.",),
        "spelled": ("한 글자씩 말씀해 주세요.",),
    },
    negators_after=frozenset(
        listed(
            """
            말고, 말고요, 못, 싫어요, 아니고, 아니고요, 아니라, 안, 않습니다, 않아요
            """
        )
    ),
    endings=listed(
        """
        요, 이요, 은, 는, 이, 가, 을, 를, 로, 으로, 에, 도, 만, 의, 로요, 으로요, 을요, 를요, 입니다,
        이에요, 예요, 이예요, 이야, 할게요,
        해주세요, 해요, 합니다, 할래요, 하고, 하려고요, 하고싶어요, 하고싶습니다, 하겠습니다, 하려고,
        하려고합니다, 부탁드립니다, 부탁해요, 좀, 연결,
        연결해주세요, 주세요, 원해요, 님, 바꿔주세요, 에요, 해, 할, 들려주세요
        """
    ),
    tens={spell(number, "ko", NATIVE_KOREAN): number for number in range(10, 100, 10)},
    scales={spell(scale, "ko", SINO_KOREAN): scale for scale in (10, 100, 1000, 10_000)},
    name_leads=listed(
        """
        제 이름은, 저는, 이름은, 나는, 네, 음
        """
    ),
    nameless=listed(
        """
        몰라요, 몰라, 모릅니다, 모르는데요, 모르겠는데요, 잘 몰라요, 잘 모르겠어요, 잘 모르겠습니다,
        기억이 안, 기억 안, 기억나지 않아요, 잊어버렸어요, 까먹었어요, 말하고 싶지, 말하기 싫어요, 말
        안, 안 알려, 왜요, 누구세요, 없어요, 없습니다, 이름 없어요, 아무것도, 비밀이에요
        """
    ),
    date_words=listed(
        """
        오늘, 내일, 모레, 글피, 이번, 다음, 주, 달, 월, 일, 년, 후, 뒤
        """
    ),
    time_words=listed(
        """
        오전, 오후, 시, 분, 반, 정오, 자정, 아침, 저녁, 밤, 새벽
        """
    ),
    money_words=("원",),
    corrects=listed(
        """
        아니고, 제 말은, 다시 말하면, 말고, 정정할게요, 정정
        """
    ),
    changes=listed(
        """
        {called} 바꿔 주세요, {called} 변경, {called} 틀렸어요
        """
    ),
    softeners=listed(
        """
        아니, 아니요, 아뇨, 죄송해요, 죄송합니다, 미안해요, 잠깐만요, 잠시만요, 음
        """
    ),
)
