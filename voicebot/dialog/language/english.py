"""English: words of callers and words of the bot."""

from __future__ import annotations

from voicebot.dialog.language.dates import weekday_names
from voicebot.dialog.language.lexicon import Lexicon, listed, mapped
from voicebot.speech.spellout import ORDINAL, spell

ENGLISH = Lexicon(
    language="en",
    yes=listed(
        """
        yes, yeah, yes please, yep, sure, okay, ok, correct, that is right, that is correct,
        right, of course, absolutely, definitely, certainly, i will be there, i will, i am
        coming, i can come, i can make it, i will come, i do, i am, i can, it is, sounds good,
        that works, that is fine, go ahead, please do, no problem, why not, i think so, yes i
        do, i confirm, confirm, fine, good, great, perfect, exactly, indeed, yup, ya, yea, aye,
        affirmative, you bet, all right, alright, uh huh, mm hmm, mhm, i would, true, i would
        love to, i guess so, you got it, i plan to, works for me, that is me, by all means,
        happy to, looking forward to it, see you then, i hope so, sure thing,
        i should be able to make it, i should be able to come, without a doubt,
        that would be great, that would be fine, it does, it works, i accept, i agree, do it,
        not a problem, i suppose so
        """
    ),
    no=listed(
        """
        no, nope, no thanks, no thank you, not really, no i can not, i can not, i can not come,
        i can not make it, i will not, i will not be there, i do not, i am not, it is not, i do
        not think so, not today, not now, never, no way, nah, that is wrong, wrong, incorrect,
        that is not right, that is not correct, not correct, not right, not me, of course not,
        absolutely not, definitely not, certainly not, negative, i do not want to, i would not,
        i would rather not, rather not, unfortunately not, i am afraid not, not at all, false,
        nay, uh uh, it does not, that does not work, does not work, i am not coming, not coming,
        i am unable to, can not make it, not this time, not likely, do not, i refuse, i decline,
        will not be able, can not make, can not come, can not attend, not be able, will not
        make, will not come, will not be there, not going to, will not work, not able to, unable
        to, i am busy, wrong person, not interested, i am not interested
        """
    ),
    weak=frozenset(
        listed(
            """
            all right, alright, aye, confirm, correct, do it, do not, exactly, false, fine, go
            ahead, good, great, i am, i am not, i can, i can not, i do, i do not, i will, i will
            not, i would, i would not, indeed, it does, it is, it is not, it works, nay, negative,
            never, not now, not today, ok, okay, perfect, please do, right, sure, true, wrong, ya
            """
        )
    ),
    unsure=listed(
        """
        not sure, do not know, no idea, maybe, perhaps, it depends, can not say, not certain,
        not decided, hard to say, might, have to check, need to check, let me think, let me
        check, yes or no, yes and no
        """
    ),
    inverted=tuple(
        f"{verb} {subject}"
        for verbs, subjects in (
            ("can could may might shall should will would must", "i you we they he she it that this there"),
            ("am", "i"),
            ("are were do did have", "i you we they"),
            ("is was does has did", "he she it that this there"),
        )
        for verb in verbs.split()
        for subject in subjects.split()
    ),
    fillers=listed(
        """
        um, uh, er, erm, hmm, hm, ah, oh well, well, please, like i said, you know, i think, i
        guess, basically, let us see, let me see, hello, hi, thank you, thanks, sir, ma am,
        madam, kindly, so, just, really, now, then, hey, okay so, for me, if possible, i
        believe, i suppose, mm
        """
    ),
    stopwords=frozenset(
        listed(
            """
            a, about, actually, am, an, and, any, are, as, at, be, been, being, but, by, can, could,
            d, did, do, does, for, from, get, give, go, got, had, has, have, he, here, i, if, in,
            into, is, it, its, just, let, like, ll, m, make, may, me, mean, might, mine, my, need,
            no, not, now, of, ok, okay, on, one, or, our, out, over, please, re, s, shall, she,
            should, so, some, t, take, that, the, them, then, there, these, they, think, this,
            those, to, up, us, ve, want, was, we, well, were, will, with, would, yes, you, your,
            yours
            """
        )
    ),
    negators=frozenset(
        listed(
            """
            cannot, dont, neither, never, nor, not, without
            """
        )
    ),
    digits={spell(digit): str(digit) for digit in range(10)}
    | mapped("oh: 0, o: 0, nought: 0, nil: 0, niner: 9"),
    decoys=listed(
        """
        good morning, good afternoon, good evening, good day, good night, good luck, good grief, right now,
        no one, no matter, great britain, i forgot it, i forgot about it, i have forgotten it
        """
    ),
    lacking=listed(
        """
        i do not have one, i do not have any, i do not have it, i have none, i have not got one,
        i have no e mail, i have no email
        """
    ),
    ordinals={spell(n + 1, rules=ORDINAL): n for n in range(10)}
    | {f"{n + 1}{['st', 'nd', 'rd'][n] if n < 3 else 'th'}": n for n in range(10)}
    | {"last": -1, "latter": -1, "former": 0, "very first": 0, "very last": -1},
    beside_ordinals=frozenset(
        listed(
            """
            the, one, ones, option, choice, i, would, like, want, will, take, have, prefer, think, is, it,
            that, for, me, my, with, go, let, us, yes, give, you, said, mentioned, please, am, to, choose, of
            """
        )
    ),
    no_ordinals=frozenset((before, "second") for before in ("a", "one", "this", "any", "every", "per")),
    pressing=frozenset(("press", "key", "button", "number", "option", "choice", "the", "i")),
    weekdays={iso: (name.lower(), f"{name.lower()}s") for iso, name in weekday_names("en").items()},
    commands={
        "repeat": listed(
            """
            repeat, repeat that, say that again, say it again, pardon, pardon me, again,
            once more, what did you say, come again, can you repeat that, could you repeat
            that, one more time, i did not hear you, i did not catch that, i did not get
            that, excuse me, i missed that, i did not hear that, sorry what, what was that,
            i beg your pardon, what, are you there, are you still there, is anybody there, is anyone there
            """
        ),
        "help": listed(
            """
            help, help me, i need help, what can i say, what are my options, i do not
            understand, what are the options, what do you mean, what should i say, what do i
            do, options
            """
        ),
        "agent": listed(
            """
            agent, an agent, operator, the operator, a person, real person, a human, human
            being, human, someone real, representative, receptionist, reception, speak to
            someone, talk to someone, speak to a person, talk to a person, talk to a human,
            speak to a human, customer service, somebody real, speak to somebody, talk to
            somebody, live person, put me through, connect me, talk to an agent, speak with
            someone, a colleague
            """
        ),
        "back": listed(
            """
            go back, back, previous, previous question, the question before, one step back, go back one
            step, take me back, back up, return to the last question
            """
        ),
        "cancel": listed(
            """
            cancel that, never mind, forget it, forget about it, cancel this, stop this, i changed my mind,
            abort, quit, let us stop here, i want to stop, bye, bye bye, goodbye, good bye
            """
        ),
        "skip": listed(
            """
            skip, skip it, skip that, skip this, skip this question, next question, pass, i would rather not
            say, i do not want to answer, i would rather not answer, leave it out, leave it blank, no answer
            """
        ),
        "opt_out": listed(
            """
            stop calling me, do not call me again, do not call again, take me off your list, remove me from
            your list, remove my number, take me off the list, never call me again, stop these calls,
            unsubscribe, opt out, put me on the do not call list, do not call list, stop calling,
            delete my number, do not call this number, i do not want these calls
            """
        ),
    },
    texts={
        "noinput": (
            "Sorry, I did not hear anything.",
            "I still cannot hear you.",
            "I am afraid I cannot hear you.",
        ),
        "nomatch": (
            "Sorry, I did not understand.",
            "I am sorry, I still did not understand. Please answer in a few words.",
            "I am afraid I did not get that.",
        ),
        "by_voice": ("Sorry, keys do not work for this question. Please say your answer.",),
        "unheard": ("I am sorry, I did not hear you. Please say it again.",),
        "agent": ("I will put you through to someone who can help.",),
        "no_telephone": (
            "Now I would put you through to a person, but that takes a telephone. "
            "You are talking from a browser. Goodbye.",
        ),
        "failed": ("I am sorry that I could not help you. Goodbye.",),
        "error": ("I am sorry, something went wrong on our side. Please call again later. Goodbye.",),
        "help": ("You can answer in your own words.", "You can say repeat to hear the question again."),
        "help_agent": ("Or say agent to speak to a person.",),
        "choices": ("You can say {choices}.",),
        "choice_key": ("Say {phrase}, or press {key}.",),
        "or": ("or",),
        "yes_no": ("Please say yes or no.", "Say yes, or press 1. Say no, or press 2."),
        "digits": ("Please say the digits one by one, or key them in.", "Please key in the {length} digits."),
        "number": ("Please say a number, or key it in.",),
        "weekday": ("Please say a day of the week, for example Tuesday.",),
        "time": ("Please say a time, for example half past two.",),
        "confirm": ("I understood {value}. Is that right?",),
        "unconfirmed": ("Sorry about that.",),
        "noted": ("All right, {value}.",),
        "corrected": ("All right, {value}.",),
        "invalid": ("Sorry, {value} is not possible.",),
        "invalid_range": ("Sorry, {value} is not possible. It has to be between {least} and {greatest}.",),
        "invalid_length": ("Sorry, that should be {length} digits. I got {got}.",),
        "invalid_check": ("Sorry, that number cannot be right. Please check it.",),
        "invalid_past": ("Sorry, {value} is in the past.",),
        "incomplete_date": ("On {value}. At what time?",),
        "incomplete_time": ("At {value}. On which day?",),
        "missing": ("And what about the {called}?",),
        "no_agent": ("Sorry, nobody is free at the moment.",),
        "no_back": ("This is the first question.",),
        "needed": ("I am sorry, I need an answer to this question.",),
        "cancel": ("Do you want to stop here?",),
        "cancelled": ("All right. Goodbye.",),
        "opted_out": ("All right. We will not call you again. Goodbye.",),
        "skipped": ("All right.",),
        "waiting": ("One moment, please.",),
        "date": ("Please say a day, for example next Tuesday, or May third.",),
        "datetime": ("Please say a day and a time, for example Tuesday at three.",),
        "money": ("Please say an amount, or key it in.",),
        "phone": ("Please say the telephone number digit by digit, or key it in.",),
        "email": ("Please spell the e-mail address.",),
        "spelled": ("Please spell it, letter by letter.",),
    },
    contractions=mapped(
        """
        i'm: i am, it's: it is, that's: that is, what's: what is, let's: let us, there's: there
        is, here's: here is, he's: he is, she's: she is, who's: who is, can't: can not, cannot:
        can not, won't: will not, shan't: shall not, don't: do not, dont: do not, doesn't: does
        not, didn't: did not, isn't: is not, aren't: are not, wasn't: was not, weren't: were
        not, wouldn't: would not, couldn't: could not, shouldn't: should not, haven't: have not,
        hasn't: has not, ain't: is not, gonna: going to, wanna: want to, gotta: got to, lemme:
        let me, 'cause: because, y'all: you all, im: i am, thats: that is, cant: can not, ma'am:
        ma am, o'clock: oclock, where's: where is, how's: how is, name's: name is, number's:
        number is
        """
    ),
    homophones=mapped(
        """
        to: 2, too: 2, for: 4, fore: 4, ate: 8, won: 1, tree: 3, free: 3, owe: 0, sex: 6, sicks:
        6, fife: 5, knight: 9, heaven: 7, hero: 0, tu: 2
        """
    ),
    multipliers={"double": 2, "triple": 3, "treble": 3},
    tens={spell(number): number for number in (*range(10, 20), *range(20, 100, 10))},
    scales={spell(scale).removeprefix("one "): scale for scale in (100, 1000, 1_000_000)},
    counted=listed("people, persons, person, guests, adults, of us, seats, places"),
    before_counts=frozenset(("for", "of")),
    groups=frozenset(("party", "group", "family")),
    before_hours=frozenset(("at", "half", "past")),
    undecided=frozenset(("or",)),
    leads=listed(
        """
        it is, i want, i would like, um, my number is, on
        """
    ),
    tails=listed(
        """
        please, thank you, thanks
        """
    ),
    name_leads=listed(
        """
        my name is, under the name of, under the name, in the name of, the name of, it is under, under,
        this is, it is, i am, i am called, the name is, name is, you can call me,
        call me, you are speaking to, you are speaking with, speaking, my full name is, yes,
        hello, hi, um, uh, well, yeah, oh, sure, okay
        """
    ),
    nameless=listed(
        """
        no name, not say, not tell, not telling, not giving, not give, not remember, can not
        remember, i forgot, have forgotten, why do you, who are you, who is this, what for, none
        of your business, nobody, no one, nothing, none, anonymous, never mind, no clue, dunno,
        beats me, who knows
        """
    ),
    date_words=listed(
        """
        today, tomorrow, next, this, week, weeks, day, days, month, the, of, after, in, on, a, from, now, end
        """
    ),
    time_words=listed(
        """
        half, past, quarter, to, oclock, am, pm, noon, midnight, morning, afternoon, evening, night, at, in,
        the, oh, minutes, hour, hours
        """
    ),
    money_words=listed(
        """
        dollar, dollars, cent, cents, pound, pounds, pence, penny, euro, euros, and, point, bucks
        """
    ),
    phone_words=listed(
        """
        plus, area, code, extension, hundred
        """
    ),
    corrects=listed(
        """
        i said, i meant, i mean, i meant to say, what i said was, i wanted to say, change it to, change that
        to, i misspoke, correction
        """
    ),
    corrects_after=listed(
        """
        i mean, i meant, i meant to say, instead, actually, sorry, rather, is better, would be better, is what
        i meant, is what i said, i said, i should say
        """
    ),
    takes_back=listed(
        """
        no, nope, oh no, not, sorry, actually, wait, hold on, oops, make it, make that, better make it
        """
    ),
    excepts=frozenset(("but", "except", "only")),
    changes=(
        *listed(
            """
            the {called} is, the {called} should be, my {called} is, i meant the {called} to be, make the
            {called}, the {called} is wrong, the {called} was wrong, the wrong {called}
            """
        ),
        *(
            f"{wish}{verb} {article}{{called}}{to}"
            for wish in (
                "",
                *(f"{modal} {who} " for modal in ("can", "could", "may") for who in ("i", "we", "you")),
                "i want to ",
                "i would like to ",
                "i need to ",
                "i have to ",
                "let us ",
                "i have got to ",
            )
            for verb in ("change", "correct")
            for article in ("the ", "my ", "")
            for to in (" to", "")
        ),
    ),
    softeners=listed(
        """
        no, nope, sorry, oh, wait, hold on, oops, not that, i am sorry, please, well, um, uh, hang on, hey,
        but, i say, make that, make it, better make it, it is, it should be, that should be, actually, rather,
        can we make that, can we make it, can you make that, can you make it, could we make that, could we
        make it, could you make that, could you make it, let us make that, let us make it, i would prefer,
        i would rather have, i would like to change to, can we say, let us say
        """
    ),
)
