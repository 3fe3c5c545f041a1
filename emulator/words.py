"""Words of Portuguese and English, made comparable: accents folded, endings cut, one glossary (pure)."""

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP = _words("""
    a an and are as at be been by can could did do does for from get give gets had has have hello help hey hi how i if
    in into is it its let like made make may me my need no not of on one or our please s should so some such tell than
    thank thanks that the their them then there these they this to tool tools up use used user uses using want was we
    were what when where which who why will with would yes you your

    ai algum alguma ao aos aquele aquela as com como da das de do dos e ela ele em era essa esse esta este eu favor faz
    fazer foi gostaria ha isso isto ja la lhe mais mas me mesmo meu meus minha muito na nao nas nem no nos o obrigada
    obrigado oi ola os ou para pela pelo por pode podes poderia porque preciso qual quais quando que quem quero se sem
    ser seu seus sim so sobre sua suas tem ter todos tu tudo um uma usar usuario voce voces ferramenta ferramentas
""")

_GLOSSARY_LINES = """
    account conta
    add some somar soma sum plus
    balance saldo
    calculate calcule calcular calculo compute calculator
    city cidade
    client cliente customer
    command comando shell bash
    create crie criar
    date data
    delete apague apagar exclua excluir remova remover remove
    directory pasta diretorio folder
    divide divida dividir
    document documento
    edit edite editar altere alterar mude change
    email correio
    file arquivo ficheiro
    find encontre encontrar ache achar
    forecast previsao
    holiday feriado
    list liste listar lista
    message mensagem
    multiply multiplique multiplicar
    name nome
    number numero
    order pedido
    price preco cotacao quote
    read leia ler abra abrir open
    run rode rodar execute executar
    search busque buscar procure procurar pesquise pesquisar pesquisa busca lookup
    send envie enviar mande mandar
    temperature temperatura
    text texto
    time hora
    today hoje
    translate traduza traduzir traducao translation
    update atualize atualizar
    weather clima tempo
    write escreva escrever grave gravar save salve salvar
"""


def fold(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def stems(text: str) -> frozenset[str]:
    """The words of `text` that carry meaning, comparable across endings, accents and the two languages."""
    words = _WORD.findall(fold(_CAMEL.sub(" ", text)))
    return frozenset(_stem(word) for word in words if word not in _STOP)


def is_portuguese(text: str) -> bool:
    """Whether `text` reads like Portuguese rather than English; English when nothing tells."""
    words = _WORD.findall(fold(text))
    accents = sum(char in "ãõçáéíóúâêôà" for char in text.lower())
    return accents + sum(word in _PORTUGUESE for word in words) > sum(word in _ENGLISH for word in words)


def _stem(word: str) -> str:
    for form in (word, _cut(word)):
        if form in _GLOSSARY:
            return _GLOSSARY[form]
    return _cut(word)


def _cut(word: str) -> str:
    """`word` without its ending: created, creates, creating and create all give `creat`."""
    if word.endswith("es") and word[-3:-2] in tuple("hsxz"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    for ending in ("ing", "ed", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word[:-1] if word[-2:-1] == word[-1:] and word.isalpha() else word


def _glossary() -> dict[str, str]:
    """Every form, and every cut form, to the first word of its line."""
    glossary = {}
    for line in _GLOSSARY_LINES.strip().splitlines():
        words = line.split()
        for word in words:
            glossary[word] = glossary[_cut(word)] = _cut(words[0])
    return glossary


_GLOSSARY = _glossary()

_PORTUGUESE = _words("""
    boa bom com como da das de dia diga do dos e em esta eu me meu minha na nao no noite o obrigada obrigado oi ola os
    para por qual quais quando quanto quantos que quem responda sao se sim sou tarde tchau um uma voce
""")
_ENGLISH = _words("""
    an and are can do does for good hello hey hi how i in is it morning my of on please say tell thanks the this to
    what when where which who why with you your
""")
