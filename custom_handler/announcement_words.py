"""The words by which `announcement` knows what an answer promises, as data: Portuguese and English, folded to a-z.

Verbs are listed once, in the infinitive; `announcement` derives the forms that announce. To teach it a verb, add it to
the kind of action that it names; a kind's own words are also what a fitting tool is known by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

#: What an action does to the world.
Effect: TypeAlias = Literal["looks", "runs", "changes"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Verbs, and nouns for the same ("dar uma olhada"), of one kind of action.

    `tools` are further words that name a fitting tool. What an action does to the world decides how much it takes to be
    believed: looking is harmless, running must not set off what destroys, changing must name a thing that a tool can
    change (otherwise it is talk: "vou criar uma analogia").
    """

    effect: Effect
    portuguese: str
    english: str
    nouns: str = ""
    tools: str = ""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _openers(phrases: str) -> tuple[list[str], ...]:
    return tuple(phrase.split() for phrase in phrases.split("|"))


_FINDING = (
    Kind("looks", "ler abrir carregar", "read open load view", "leitura", "cat show file"),
    Kind(
        "looks",
        "listar explorar levantar reunir",
        "list explore enumerate gather",
        "listagem levantamento",
        "ls glob tree directory",
    ),
    Kind(
        "looks",
        "procurar pesquisar buscar localizar encontrar achar rastrear identificar descobrir",
        "search find grep locate lookup look trace identify discover",
        "busca pesquisa",
        "rg glob",
    ),
    Kind(
        "looks",
        "consultar obter buscar recuperar puxar pegar acessar baixar",
        "get fetch retrieve query pull grab bring access download obtain consult",
        "consulta",
    ),
    Kind("looks", "descrever", "describe", "descricao", "schema columns"),
)
KINDS = (
    *_FINDING,
    Kind(
        "looks",
        "verificar checar conferir analisar investigar examinar inspecionar olhar ver comparar validar revisar avaliar",
        "check verify double-check look see inspect investigate examine analyze analyse review compare validate dig "
        "dive",
        "olhada conferida verificacao analise checagem",
        " ".join(f"{kind.portuguese} {kind.english} {kind.tools}" for kind in _FINDING) + " status",
    ),
    Kind(
        "looks",
        "calcular simular contar estimar somar",
        "calculate compute simulate count estimate sum",
        "calculo simulacao contagem",
        "calculator sql",
    ),
    Kind(
        "runs",
        "executar reexecutar repetir rodar compilar testar reproduzir instalar",
        "run rerun repeat execute compile test build reproduce install",
        "execucao",
        "bash shell command terminal exec python sql",
    ),
    Kind(
        "changes",
        "criar gerar abrir registrar montar emitir",
        "create generate open register produce",
        "criacao",
        "write new",
    ),
    Kind("changes", "escrever salvar gravar implementar", "write save implement", "escrita", "edit"),
    Kind(
        "changes",
        "editar alterar atualizar corrigir ajustar modificar adicionar aplicar refatorar classificar renomear",
        "edit change update fix adjust modify add apply refactor patch classify replace rename",
        "edicao alteracao atualizacao correcao ajuste",
        "write insert",
    ),
    Kind("changes", "plotar desenhar", "plot draw", "", "chart graph grafico"),
    Kind("changes", "exportar", "export", "exportacao", "csv excel"),
)
#: Never asked for again, whatever the tools: what cannot be undone, costs money, reaches people or production.
DESTRUCTIVE = Kind(
    "changes",
    "apagar excluir deletar remover limpar zerar implantar publicar reverter sobrescrever derrubar enviar subir "
    "mover desinstalar reiniciar transferir depositar pagar cancelar bloquear encerrar fechar estornar reembolsar "
    "revogar conceder rotacionar redefinir suspender cobrar convidar desligar interromper promover "
    "desbloquear escalar restaurar provisionar banir sacar doar comprar vender "
    "contratar aprovar resgatar mandar dropar destruir descartar mesclar matar expurgar resetar liquidar quitar "
    "debitar creditar autorizar desativar migrar liberar notificar",
    "delete remove erase clean wipe purge prune drop truncate deploy publish push merge rebase revert rollback "
    "overwrite kill send uninstall restart reboot transfer deposit pay debit credit wire cancel block close refund "
    "approve redeem email reset rm mv destroy discard terminate charge authorize disable deactivate migrate "
    "revoke grant rotate suspend invite unblock evict drain shutdown halt stop scale downscale restore provision ban "
    "donate buy sell withdraw upload post force ship notify",
)
#: As above where the action runs or changes something: "check the payment" is harmless, "run the payment" is not.
DESTRUCTIVE_NOUNS = _set(
    "pagamento transferencia exclusao remocao envio implantacao publicacao reembolso estorno cancelamento migracao "
    "debito credito deposito saque compra venda multa pix ted doc producao release liberacao limite payment deletion "
    "removal deployment production migration "
    "migrations limit prod live shutdown poweroff killall pkill mkfs fdisk parted dd ansible vercel netlify "
    "heroku convite convites invites invitation invitations newsletter"
)
#: Money, access and people: not to be touched unless the same clause names a thing of code or a query.
COSTLY = _set(
    "payroll billing bill bills invoice invoices refund refunds charge charges payout payouts payments boleto boletos "
    "folha cobranca cobrancas fatura faturas faturamento estornos pagamentos transferencias salario salarios salary "
    "salaries wage wages faturar comissao comissoes commission commissions bonus liquidacao settlement settlements "
    "dinheiro money admin admins role roles member members membro membros mail mails email emails sms slack telegram "
    "tweet notification notifications notificacao notificacoes whatsapp "
    "password passwords senha senhas permission permissions permissao "
    "permissoes acesso acessos credential credentials credencial credenciais secret secrets token tokens firewall"
)
#: Where running or changing something reaches others: "apply the config to the cluster".
MACHINES = re.compile(
    r"\b(?:on|in|to|at|with|against|n[oa]s?|aos?|em|para|com|contra) (?:(?:the|our|all|an?|o|a|os|as|um|uma|todos os|"
    r"todas as) )?(?:\w+ )?(?:clusters?|servers?|servidor(?:es)?|staging|homologacao|hosts?|machines?|maquinas?|nodes?|"
    r"vms?|environments?|ambientes?|real|reais|customers?|clients?|clientes?|assinantes|subscribers|shops?|stores?|lojas?)\b(?![./]\w)|/etc/|/usr/|/var/|authorized_keys|sudoers"
)
#: Data that is not to be changed, only read.
DATA = re.compile(
    r"\b(?:(?:in|on|from|n[oa]|d[oa]) (?:the )?(?:database|db|banco|table|tabela)|balances?|saldos?|savings|poupanca|"
    r"admin|enderecos? d[oa]|customer's|client's|user's)\b"
)
#: Where one thing that is done ends and the next begins.
CLAUSE = re.compile(r"\b(?:and|e|then|depois)\b|[,;]")
#: What tools change, as groups: a tool that is described by a word of a group can change what its other words name. The
#: first group is what tools for files and commands can change.
THINGS = (
    _set(
        "file files arquivo arquivos pasta folder edit replace patch text command shell bash code codigo class classe "
        "metodo method funcao function teste testes test tests script modulo module servico service component "
        "componente controller import linha line condicao condition validacao validation correcao fix config "
        "configuracao configuration construtor constructor campo field rota route endpoint query parametro parameter "
        "dependencia dependency variavel variable repositorio repository mapeamento bug erro error typo regex "
        "logic change relatorio report paginacao pagination dockerfile encoding traducao titulo title isso it that them"
    ),
    _set("ticket chamado incidente incident comentario comment prioridade priority issue"),
    _set("statement extrato"),
    _set("chart grafico graph histograma histogram plot diagrama diagram"),
    _set("csv excel planilha spreadsheet resultado result data dados rows linhas"),
    _set("document documento relatorio report page pagina note nota"),
    _set("event evento meeting reuniao calendar agenda"),
    _set("record registro cadastro customer cliente user usuario account conta"),
    _set("task tarefa todo item"),
    _set("order pedido"),
)
#: The things of all groups, and those of code, which money may be the subject of: "the tests of the billing module".
THING = frozenset[str]().union(*THINGS)
CODE = (THINGS[0] | _set("suite build query queries consulta consultas select lint linter testar")) - _set(
    "command shell script scripts edit patch isso it that them bash text logic change"
)

#: What a tool acts on ends here in its description: "Generate the statement | of an account".
OF = r"\b(?:of|for|from|in|de|d[oa]s?|para|em|n[oa]s?)\b"

#: Before the verb: "vou", "let me"; after these the verb is an infinitive.
OPENERS = _openers(
    "vou|irei|vamos|deixe-me|deixa eu|deixe eu|permita-me|preciso|farei|comecarei|i'll|i will|i shall|let me|let's|"
    "i'm going to|i am going to|i'm about to|gonna|going to|allow me to|i need to|i have to|i must|while i"
)
#: After these it is a gerund.
PROGRESSIVE_OPENERS = _openers("estou|ja estou|i'm|i am|i'm now|i am now|i'm already|comecarei")
#: After these it is a present: "já consulto", "um instante enquanto verifico".
PRESENT_OPENERS = _openers("ja|enquanto|enquanto eu")
#: Between opener and verb: "vou [agora começar a] ler", "I'll [go ahead and] read", "dar [uma] olhada".
SKIPPED = _set(
    "a o as os um uma de da do com por pela pelo que e eu agora ja entao primeiro tambem rapidamente logo novamente "
    "comecar iniciar tentar fazer dar usar utilizar chamar ter precisar ferramenta nova rapida breve prosseguir an "
    "the to and now just also quickly first then next again quick brief short closer go ahead start begin by with "
    "try do take have need make proceed use call tool already actually deeper further immediately out"
)
#: Between opener and a gerund: "start by reading", "start investigating".
BEFORE_GERUND = _set("by start begin try")
#: Before an opener in its clause.
LEAD = _set(
    "eu i agora now entao then so primeiro primeiramente first firstly ja also tambem next depois seguida em ok okay "
    "certo claro otimo perfeito great sure perfect alright right well antes por isso para assim um momento instante "
    "for that this minuto one just a moment second minute hold hang on"
)
#: These begin a clause of their own.
CONNECTIVES = _set("so but mas porem entao portanto logo therefore")
#: A sentence that begins with one of these speaks of its speaker, so "and"/"e" may lead to an announcement.
FIRST_PERSON = _set("i i've i'm eu ja")
#: In place of an action: nothing to call for.
TALKING = _set(
    "explicar mostrar resumir responder detalhar esclarecer sugerir orientar ajudar considerar manter deixar "
    "explain show summarize answer clarify suggest walk help keep leave assume tell give put be"
)
#: After one of these an English verb names a thing: "the last push", "o script de deploy" …
DETERMINERS = _set("the a an this that your my its last new previous failed pending by via pelo por de da")
#: … unless that thing is to be done: "do the push", "fazer o deploy", "check it by running `deploy.sh`".
DOING = _set(
    "fazer dar realizar executar executando rodar rodando do doing make making perform performing run running execute "
    "executing"
)
#: The last word of "Running the tests now." and of "Lendo o arquivo, aguarde."
NOW = _set("now agora aguarde instante moment momento")
#: A sentence with one of these adds nothing to the announcement before it: "Um momento." "Be right back!"
FILLERS = _set(
    "momento instante aguarde minuto segundo segundos minutos volto retorno moment moments second seconds sec minute "
    "minutes wait hold hang back"
)


def _phrases(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b")


#: So does one that begins with these.
AFTERWARDS = re.compile(r"(?:depois|em seguida|com isso|after that|afterwards|then)\b")
#: Words of action about the talk itself.
IDIOMS = _phrases(
    "let me know|look forward|get back|see you|step by step|passo a passo|bullet points|em topicos|below|abaixo",
    r"(?:let me|let's|vamos|deixa eu|deixe-me) (?:see|ver)(?=[,.!])",
    r"(?:in|em|with|com|from|create|criar|write|escrever|montar|build) (?:an?|um|uma) (?:\w+ )?(?:example|exemplo)",
    "as an? (?:yes|no)|como um (?:sim|nao)|i understood|se entendi|abrir (?:um parentese|uma excecao|mao|o jogo)",
    "(?:my|your) (?:knowledge|memory|mind)|(?:meu|minha|sua) (?:conhecimento|memoria|mente)",
    "(?:sua|your) (?:mensagem|message|pergunta|question|texto|text|paciencia|patience)|angle|angulo|so far|ate aqui",
    "what (?:i|we) (?:can|know)|o que (?:posso|sabemos)|straight|ao ponto|run (?:you )?through|see to",
    "check (?:back|in)|(?:a|another) way|(?:um|outro) jeito|(?:uma|outra) forma",
    "(?:add|adicionar|acrescentar) (?:that|que)|approaches|abordagens|alternatives|alternativas|strategy|estrategia",
    "analogy|analogia|ideas?|ideias?",
    "my (?:previous |last )?(?:answer|reply)|(?:a )?minha (?:ultima )?resposta|what i said|o que eu disse",
    r"(?:com|with) (?:\w+ )?(?:gerente|equipe|time|setor|supervisor|manager|team|department|colleagues?|colegas?)"
    r"(?= and\b| e\b|[,.])",
)
#: What is run follows; not so after "the last", where a run is a thing.
RUNNING = re.compile(
    r"(?<!the )(?<!last )(?<!this )(?<!previous )(?<!dry )\b(?:re)?(?:run(?:ning)?|execut(?:ar|ando|arei|o|e|ing)|"
    r"(?:rod|execut)a-l[oa]s?|rod(?:ar|ando|arei|o))\b *|(?<!not )(?<!n't )(?<!nao )\b(?:repet(?:ir|indo|irei)|"
    r"repeat(?:ing)?)\b *"
)
PRONOUN = re.compile(
    r"(?:(?:it|them|this|that|isso|tudo|ele|ela)\b|(?:again|now|agora|once more|de novo|novamente|outra vez)\b|$|[.!:])"
)
_READING = (
    r"git (?:status|log|diff|show|blame|grep|shortlog|reflog|ls-files|describe|rev-parse|branch|fetch|remote -v|"
    r"stash list)",
    r"(?:kubectl|oc) (?:get|describe|logs|top|explain|version|diff|cluster-info|api-resources)",
    r"helm (?:list|ls|status|get|history|show|template|lint|version|diff)",
    r"(?:terraform|tofu|terragrunt) (?:plan|validate|show|output|fmt|version|providers|graph|state (?:list|show))",
    r"(?:docker|podman)(?: |-)?(?:compose|container|image|network|volume)? ?"
    r"(?:ps|ls|images|logs|inspect|version|info|stats|top|config|history)",
    r"(?:aws|gcloud|az) (?:[\w-]+ ){0,3}(?:ls|list|show|describe|get|(?:list|describe|get)-[\w-]+)",
    r"(?:npm|yarn|pnpm|bun) (?:run )?(?:t|tests?|build|lint|ls|list|outdated|audit|view|info|why|ci|typecheck|format)",
    r"cargo (?:test|build|check|clippy|fmt|doc|bench|tree)|go (?:test|build|vet|list)|dotnet (?:test|build)",
    r"(?:mvn|./mvnw|mvnw|gradle|./gradlew|gradlew|make) (?:-\w+ )*(?:tests?|verify|compile|package|check|build|lint)",
    r"(?:pip|poetry|uv|conda|brew|apt) (?:list|show|freeze|check|tree|pip list)",
    r"systemctl (?:status|is-active|list-units|show)|python3? -m (?:pytest|unittest|mypy|ruff|compileall)",
    "pytest|unittest|mypy|pyright|ruff|eslint|prettier|tsc|jest|vitest|tox|nox|flake8|pylint|rubocop|golangci-lint",
    "ls|cat|grep|rg|fd|find|head|tail|wc|du|df|ps|pwd|which|tree|stat|diff|jq|journalctl|netstat|lsof|ss|ping|dig|"
    "nslookup|traceroute|uname|whoami|free|uptime|env",
    "select|explain|describe|show (?:tables|columns|databases|create table)",
)
#: What may be run: checks, queries and commands that only read, or a command that is not told more of.
HARMLESS = re.compile(
    rf"(?:(?:the |o |a )?(?:command |comando )?(?:{'|'.join(_READING)})(?![\w/-])|"
    r"(?:(?!(?:and|e|then|on|in|at|to|into|against|for|with|em|n[oa]s?|contra|para|com) )[\w'-]+ ){0,4}?"
    r"(?:tests?|testes?|(?:test)?suites?|builds?|lint|linters?|formatter|formatador|profiler|"
    r"quer(?:y|ies)|consultas?|search|busca|pesquisa|analysis|analise|simulation|simulacao|"
    r"benchmarks?|checks?|type[- ]?check(?:er)?|verificador|compilacao|compilation|compiler|compilador|dry[ -]run)\b|"
    r"(?:the |this |that |same |o |este |esse |mesmo )+(?:command|script|comando)s?\b"
    r"(?! (?:that|which|que|for|of|de|d[oa]s?|on|in|against|em|n[oa]s?|contra)\b)"
    r"(?! (?:to|para) (?!confirm|see|ver|check|reproduc|reproduz|find|descobrir|understand|entender|inspect|get )))"
)
#: After one of these comes what a command does: "the query that fills …"; not so in "with that", "confirm that".
RELATIVE = _set("that which que")
BEFORE_THAT = _set("in on of for after check verify see validate ver verificar validar conferir")
#: What a command may be for, beside looking, and what may be done after the announced action.
AIMS = _set(
    "confirm reproduce understand ensure know rule debug measure learn decide show explain summarize tell report "
    "answer come see watch follow share return note think propose suggest continue try fail fails failed broke "
    "confirmar reproduzir entender garantir saber descartar depurar medir decidir mostrar explicar resumir responder "
    "voltar acompanhar propor sugerir continuar tentar seguir ter dizer trazer "
    "falha falhou quebrou"
)
#: Between "and" and what is done next.
THEN = _set("then depois em seguida also tambem logo finally afterwards so")
#: Verbs of editing that announce nothing by themselves.
EDITS = _set("trocar mudar incluir swap include")
#: Verbs that mean what is named after them: "make the payment".
LIGHT = _set("make do take have use fazer dar ter usar utilizar")
CALLING = _set("call chamar")
#: "and give the money back": after "and", a word with one of these behind it is a verb.
OBJECTS = _set("the a an it them this that these those your my its their everything all each")
#: What may not, even where something harmless is named: "the query that updates", "the tests and the payroll".
UNSAFE = _phrases(
    "replaces?|substitu\\w+|pipelines?|workflows?|decimo terceiro|updates?|updating|inserts?|inserting|upserts?|"
    "alters?|altering|appl(?:y|ies)|upgrades?|rollout|restores?|seed|"
    "provision(?:s|ing)?|failover|cutover|cleanup|clean-up|limpeza|atualiza(?:r|cao)?|inser(?:e|ir|cao)|altera(?:r)?|"
    "grava(?:r)?|writes?|jobs?|batch|lote|rotina|cron|xargs|tee|sudo|sed|install|uninstall|delet\\w+|remov\\w+|"
    "apag\\w+|production|prod|producao|live"
)
#: Commands and turns of phrase that change machines, environments or data, whatever else is said.
WRITES = _phrases(
    "(?:terraform|tofu|terragrunt) (?:-[^ ]+ )*(?:apply|destroy|import|taint|state (?:rm|mv|push))|"
    "(?:pulumi|cdk) (?:up|deploy|destroy)",
    "(?:kubectl|oc) (?:-[^ ]+ )*(?:apply|delete|scale|rollout|drain|create|replace|patch|edit|set|exec|cordon|label|"
    "annotate|taint|run)",
    "helm (?:install|upgrade|uninstall|rollback|delete)",
    "(?:docker|podman)(?: |-)?(?:[a-z]+ )?(?:-[^ ]+ (?:[^ ]+ )?)?(?:rm|rmi|prune|down|stop|kill|push|restart|up|exec|"
    "run)",
    "git (?:push|reset|clean|checkout|restore|rebase|merge|filter-branch|filter-repo|gc|tag|commit|stash (?:drop|"
    "clear)|branch (?:-[a-z]*[dm]|--delete|--move))",
    "(?:systemctl|service|pm2|supervisorctl) (?:[^ ]+ )?(?:stop|start|restart|reload|disable|enable|mask|delete)",
    "(?:chmod|chown|chgrp) |sudo|kill(?:all)? -?\\d|init [06]|crontab|iptables|ufw|useradd|userdel|usermod|passwd",
    "(?:aws|gcloud|az|doctl|gh|flyctl|fly|heroku|vercel|netlify|wrangler|firebase|railway) (?:[^ ]+ ){0,4}?"
    "(?:(?:delete|terminate|stop|start|create|update|put|rm|sync|cp|mv|deploy|launch|merge|release|scale|promote|"
    "rollback|reboot|modify|detach|attach|set|revoke|run)(?:-[a-z-]+)?|--prod)",
    "(?:npm|yarn|pnpm|bun|twine|cargo|poetry|gem|uv|mvn|gradle) (?:[^ ]+ )?(?:publish|unpublish|upload|yank|deploy|"
    "push|release|deprecate)",
    "ansible-playbook|ansible [^ ]+ -|redis-cli|flushall|flushdb|createdb|dropdb|pg_restore|mysqladmin",
    "(?:curl|wget|http|httpie) .*(?:(?:-x|--request|--method)[ =]?(?:post|put|delete|patch)|-d\\b|--data|-f\\b|--form|"
    "--upload-file|--post)|(?:http|httpie|xh) (?:post|put|delete|patch)",
    "insert into|replace into|merge into|update [^ ]+ set|delete from|"
    "alter (?:table|user|role|database|schema|system|index|view)|select .* into|for update|"
    "create (?:user|role|database|or replace)",
    "(?:bring|tear|take|spin|scale|shut|turn|power|roll|cut|switch) (?:[^ ]+ ){0,3}?(?:down|off|out|back|over)|"
    "scale up|tirar (?:[^ ]+ ){0,3}?do ar|(?:em|para|pra|in|to|on|against|contra|n[oa]) (?:a |o |the )?(?:banco de )?"
    "(?:prod|producao|production) (?:now|agora)|dar baixa|folha de pagamento",
    "(?:load|carregar|carregando|loading) (?:[^ ]+ ){1,4}?(?:into|n[oa])|levantar (?:o |a )?(?:servi|container|"
    "ambiente)[a-z]*",
    "baixar (?:os? |as? )?(?:boletos?|titulos?|parcelas?|faturas?|dividas?)|colocar (?:[^ ]+ ){0,3}?no ar",
    r"(?:apply|applying|aplicar|aplicando) (?:(?:the|an?|o|a|os|as|um|uma) )?(?:\w+ )?(?:config\w*|manifest\w*|"
    r"polic\w+|politicas?|settings?|schema|discounts?|descontos?|fees?|taxas?|tarifas?|rules?|regras?|plano?|stack)",
    r"(?:install\w*|instal(?:ar|ando)) (?:[^ ]+ ){1,3}?(?:chart|certifica(?:te|do)|driver|agente?|opera(?:tor|dor)|"
    r"firmware|kernel|app)",
    r"get (?:[^ ]+ ){1,3}?(?:onto|into|off|out|going|moving|done|signed|paid|sent|live|online|offline)",
    r"(?:open|abrir) (?:the |o |a )?(?:gate|valve|door|safe|vault|portao|cofre|valvula|cancela)",
    r"(?:load|carregar) (?:[^ ]+ ){0,2}?(?:credits?|creditos?|saldo|celular|cartao|card|balance)",
    r"baixar (?:[oa]s? )?(?:precos?|taxas?|juros|limites?|tarifas?|status|estoque)|levantar (?:o )?(?:dinheiro|fundos)",
    r"(?:get|obter|pegar|take) (?:an? |um )?(?:new |novo )?(?:loan|emprestimo|credito)",
    r"test(?:ar|ing|ando)? (?:the |o |a )?(?:siren\w*|alarm\w*|failover|disaster|card|cartao)",
    r"(?:install\w*|instal\w+) (?:[^ ]+ ){0,3}?(?:updates?|upgrades?|atualizac\w+)",
    "get rid|throw away|jogar fora|give (?:[^ ]+ ){0,3}?back|money back|devolver|ressarcir",
    "(?:open|abrir) (?:an?|uma?) (?:(?:new|nov[oa]) )?(?!new|nov|ticket|chamado|incident|issue|file|arquivo)",
    r"(?:get|have|pull|grab|pegar|puxar|buscar|sacar) (?:[^ ]+ )?(?:money|funds|cash|dinheiro|grana)",
    r"(?:get|have) (?:the|this|that|my|your) (?:\w+ ){1,2}\w+ed(?= and\b| ?[.,;]|$)|pull the (?:trigger|plug)",
    "(?:open|abrir) (?:[^ ]+ )?(?:ports?|portas?|access|acesso)",
    "(?:open|create|abrir|criar) (?:[^ ]+ )?(?:pr|pull request|merge request)",
)
#: Not said by the one who answers, but an example of what somebody might say.
HYPOTHETICAL = re.compile(
    r"\b(?:say|says|said|saying|reply|replies|replied|respond|responds|responded|write|writes|wrote|answers?|answered|"
    r"examples?|instance|such as|something like|like this|as follows|following|phrase|sentence|message|prompt|template|"
    r"reads|goes|contains|comment|line|quote|title|would|could|might|was|were|sample|draft|"
    r"dizer|diz|diga|disse|diria|dizia|responder|responda|respondeu|escrever|escreva|escreveu|exemplos?|algo como|"
    r"algo assim|assim|seguinte|a seguir|frase|mensagem|texto|modelo|resposta|traz|contem|comentario|linha|citacao|"
    r"titulo|falou|fala|avisou|comentou|told|tells|spoke|\w{3,}riam?|poderia|podia|iria|era|foi|"
    r"rascunho)\b(?: [^.:!?]{0,40})?(?::| [-\u2013\u2014] )|"
    r"\b(?:for example(?!s)|for instance|e\.g\.|por exemplo|p\. ?ex\.|hypothetically|hipoteticamente|imagine|suppose|"
    r"suponha)"
)
#: Left to the user, in the announcement or in the sentence before it.
WAITS = _phrases(
    "(?:if|once|when|until|after|should|whenever|unless) you(?:r|'re|'d)?|let me know|me avise",
    "(?:se|quando|caso) (?:voce|quiser|preferir|desejar|concordar|precisar|queira|deseje)",
    r"(?:com|mediante|with|upon) (?:a |o )?(?:sua|seu|your) (?:confirm|aut|aprov|approv|aval|ok|permis|go-|sign)\w*",
    "your (?:approval|confirmation|permission|go-ahead|okay|ok|review|blessing|consent|agreement|reply|answer)",
    "(?:sua|seu) (?:confirmacao|aprovacao|autorizacao|revisao|permissao|consentimento|aval|ok|sinal|resposta)",
    "seu de acordo|green light|sinal verde|(?:aguardo|aguardando|espero) (?:a |o )?(?:sua|seu)|waiting for you(?:r)?",
)
#: A sentence that asks the user for something first.
REQUESTS = re.compile(
    r"(?:por favor|please|me (?:informe|envie|passe|diga|mande|confirme)|preciso (?:d[eoa]s? |que )|confirme|confirm|"
    r"i(?:'ll)? need (?:you|the|a)|informe|tell me|give me|send me|just (?:ask|confirm|say|send|tell|give)|basta|diga|"
    r"say|upload|envie|responda|answer|reply|escolha|choose|pick)\b"
)
#: Bound to something that may not come, or not now.
LATER = _phrases(
    "(?<!at )once(?! more)|after(?! that)|apos|depois d[aeo]s?",
    "havendo|supondo|assuming|dependendo|depending|subject to|awaiting",
    "as soon as|assim que|logo que|tao logo|depois que|a menos que|in case|desde que|contanto que|a nao ser|provided",
    "upon|as long as|unless|until|(?:if|when|as) (?:needed|necessary|desired)",
    "(?:se|quando) (?:for )?(?:preciso|necessario)",
    "amanha|tomorrow|mais tarde|later|outr[ao] (?:momento|hora|dia|conversa)|another (?:time|day|conversation)",
    "(?:proxima|segunda|next|second) (?:etapa|fase|versao|vez|semana|sprint|phase|version|time|week|month|release)",
    r"depois(?= ?[.!;]|$)|(?:n[ao]|ate|tod[ao]s?|toda a|esta|nesta|proxim[ao]) "
    r"(?:(?:segunda|terca|quarta|quinta|sexta)(?:-feira|(?= ?[.,;!]|$| (?:feira|de|a|que|cedo|pela)\b))|sabado|"
    r"domingo)",
    "(?:(?:on|by|until|till|next|this|every|come) (?:mon|tues|wednes|thurs|fri|satur|sun)days?)",
    r"(?<!of )(?<!from )(?<!since )(?<!last )(?:mon|tues|wednes|thurs|fri|satur|sun)day(?= ?[.!;]|$| (?:morning|"
    r"afternoon|evening|night))|"
    r"(?:segunda|terca|quarta|quinta|sexta)-feira(?= ?[.!;]|$)",
    "(?:this|next|tomorrow|in the) (?:morning|afternoon|evening|weekend)|tonight|overnight|weekends?|fi(?:m|"
    "ns) de semana|de noite|de tarde|at (?:night|noon|"
    r"midnight|\d+)|by the end of|end of (?:the )?(?:day|week|month)|(?:hoje )?a noite|de madrugada|(?:meia-noite|"
    r"meio-dia)|fim d[eoa] (?:dia|semana|mes|tarde|expediente)|(?:semana|mes|ano|segunda|sexta) que vem|"
    r"proxim[oa]s? (?:mes|ano|dias?|semanas?|hora|trimestre)|daqui a|as \d+ ?h(?:oras|s|\b)|a tarde|pela manha|"
    r"de manha",
    r"(?:in|within|em|dentro de) (?:an?|um|uma|\d+|some|a few|a couple of|alguns|algumas|two|three|five|ten|dois|duas|"
    r"tres|cinco|dez|poucos|poucas) (?:more )?(?:minutes?|hours?|days?|weeks?|months?|minutos?|horas?|dias?|semanas?|"
    r"mes|meses)",
    "(?:before|antes d[eoa]s?) (?:the |o |a )?(?:next|proxim[oa]|release|deploy|lunch|meeting|reuniao|almoco)|"
    r"at (?:about )?(?:half|quarter|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|lunch)|half past|"
    r"o'clock|\d ?[ap]\.?m\b|pelas? (?:\d+|uma|duas|tres|quatro|cinco|seis|sete|oito|nove|dez|onze|doze)|"
    r"as \w+ (?:horas|e meia|da (?:manha|tarde|noite)|em ponto)|hora do almoco|first thing|bem cedo|"
    r"(?:segunda|terca|quarta|quinta|sexta) (?:cedo|de manha|a tarde|a noite|pela manha)",
    r"in a (?:bit|while)|shortly|logo mais|mais adiante|mais para frente|qualquer hora|maintenance window|"
    r"janela de manutencao|(?:no|na|next) (?:proxim[oa] )?(?:turno|shift|ciclo|cycle|reuniao|meeting|ferias|feriado)",
    r"(?:tests?|testes|suite|build|linter) (?:in|em|no dia|dia|on the) (?:\d+|janu|febr|march|april|june?|july|augu|"
    r"sept|octo|nove|dece|jane|feve|marco|abril|maio|junh|julh|agos|sete|outu|deze)\w*",
    "some ?day|algum dia|outro dia|at some point|when(?:ever)? (?:i|we|possible|there)|"
    "quando (?:eu|der|puder|possivel|tiver|houver)",
    "em breve|soon|eventually|in the future|no futuro|from now on|em diante|sempre que|every time|always|sempre",
)
#: A condition, unless a verb of looking stands before it: "check if", "ver quando".
IF = _set("if se when quando")
#: A clause that starts with a condition.
CONDITION = re.compile(
    r"(?:^|[^\w\s'-]) ?(?:if|se|caso|quando|when|whenever|once|after(?! that)|upon|mediante|should)\b"
)
#: Taken back in the same breath.
REFUSED = re.compile(r"\b(?:mas|but|porem|however|infelizmente|unfortunately)\b.*\b(?:nao|not|no|cannot|\w+n't|sem)\b")
