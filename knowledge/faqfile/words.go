package faqfile

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// headerWords are the names of columns and fields, in the languages whose FAQs are most common.
func headerWords() [columns]string {
	return [columns]string{
		colKey: `id key entryid faqid questionid identifier uid uuid externalid itemid code sku ref reference number
			clave codigo identificador referencia chave kennung schlussel schluessel nummer artikelnummer identifiant cle numero
			qid qnaid intent identificativo identyfikator nr 编号 編號 番号 번호 номер رقم mã kode kod číslo`,
		colQuestion: `question q questions canonicalquestion mainquestion questiontext faqquestion customerquestion userquestion
			pregunta preguntas pergunta perguntas frage fragen faq query ask title heading titulo titel titre subject name
			domanda domande quesito vraag vragen вопрос вопросы питання intrebare intrebari 質問 質問文 問い 问题 問題 提问 问 提問 質問内容 질의 сұрақ soru sorular pytanie pytania
			pertanyaan 질문 문의 سؤال السؤال الأسئلة प्रश्न câuhỏi fråga frågor spørgsmål spørsmål kysymys otázka otázky kérdés ερώτηση שאלה คำถาม
			prompt instruction input header summary titolo тема заголовок label`,
		colAnswer: `answer a answers response reply answertext faqanswer acceptedanswer responses replies solution
			respuesta respuestas resposta respostas antwort antworten reponse reponses loesung losung
			answerhtml answerbody text body content description contenido contenu conteudo inhalt suggestedanswer
			risposta risposte antwoord antwoorden ответ ответы відповідь raspuns raspunsuri 回答 答え 答案 解答 答 回复 回覆 回答内容 cevap cevaplar yanıt yanıtlar
			odpowiedź odpowiedzi jawaban 답변 답 내용 内容 回答文 جواب الإجابة إجابة الجواب उत्तर trảlời câutrảlời svar vastaus odpověď odpoveď válasz απάντηση תשובה คำตอบ
			completion output messages fulfillmentmessages html bodyhtml inhoud текст содержание`,
		colTopic: `topic category categories section theme group subcategory department area tag tags topics
			tema temas categoria seccion secao grupo assunto thema kategorie rubrik bereich sujet categorie rubrique
			categorie argomento onderwerp rubriek категория раздел тема カテゴリ カテゴリー 分類 分类 类别 類別 kategori konu kategoria temat topik 분야 구분 분류명 分野 ジャンル 区分 項目 大分類 领域 栏目 板块 模块 카테고리 분류
			الفئة chủđề ämne aihe téma kategória κατηγορία קטגוריה หมวดหมู่ sheet`,
		colVariants: `variants variant variations variation alternatives alternative alternativequestions alternativequestion
			alternatequestions alternatequestion altquestions altquestion alsoasked alsoaskedas peoplealsoask synonyms synonym
			wordings wording phrasings phrasing otherphrasings otherwordings otherquestions similarquestions similarquestion
			paraphrases paraphrase utterances utterance trainingphrases examples aliases alias alt
			variantes variante variaciones alternativas alternativa sinonimos otraspreguntas preguntassimilares outrasperguntas
			perguntassemelhantes variacoes varianten alternativen alternativfragen synonyme ahnlichefragen weiterefragen
			formulierungen synonymes autresquestions reformulations formulations
			patterns userphrases suggestedquestions altquestion varianti alternatieven варианты 同義語 言い換え 相似问法 相似问题 相似問題 varyantlar warianty variasi 유사질문`,
		colLocale: `locale language lang languagecode languagetag inlanguage idioma lengua lingua linguagem sprache langue
			taal lingua язык 言語 语言 語言 dil język bahasa 언어 اللغة språk kieli jazyk nyelv`,
		colFrom: `from validfrom start startdate starts startsat validfromdate effectivefrom effective begin begins beginsat since
			desde validodesde inicio fechainicio datainicio validoapartirde gultigab gueltigab gultigvon gueltigvon ab von beginn
			apartirde apartirdu valablede debut datedebut du`,
		colTo: `to until validto validuntil validthrough end enddate ends endsat expires expiry expirydate expirationdate expiration
			expireson expiresat validtodate till
			hasta validohasta fin fechafin ate validoate fim datafim expira vence vencimiento gultigbis gueltigbis bis ende ablauf
			jusqua jusquau valablejusquau datefin expiration expirele au`,
		colMedia: `media mediaurl image images imageurl picture pictures photo photos video videos videourl attachment attachments
			imagen imagenes foto fotos adjunto adjuntos imagem imagens anexo anexos bild bilder anhang piecejointe
			immagine immagini afbeelding картинка изображение 画像 图片 圖片 resim zdjęcie obraz gambar 이미지 attachmenturl`,
		colFollowUps: `followups followup seealso relatedquestions nextquestions anschlussfragen preguntasrelacionadas perguntasrelacionadas`,
		colSlug:      `slug urlslug permalink`,
	}
}

// notPublic says by what a field shows that its row is not for customers: "draft", or "".
func notPublic(name, value string) string {
	value = strings.ToLower(oneLine(value))
	is := func(words string) bool { return slices.Contains(strings.Fields(words), value) }
	switch name = normalHeader(name); name {
	case "status", "state", "visibility", "publicationstatus", "publishstatus", "workflowstate", "articlestate", "estado", "statut", "stato", "статус", "状態", "状态", "durum":
		if is(`draft drafts archived archive disabled inactive hidden private internal unpublished deleted trash trashed
			pending retired obsolete deprecated review in-review entwurf archiviert deaktiviert inaktiv intern borrador archivado inactivo
			brouillon archivé inactif rascunho arquivado inativo bozza archiviato черновик архив 草稿 下書き 非公開 taslak szkic off`) {
			return value
		}
	case "draft", "isdraft", "archived", "isarchived", "hidden", "ishidden", "deleted", "isdeleted", "private", "isprivate", "disabled", "isdisabled", "internal", "isinternal", "internalonly":
		if is("true yes y 1 x ja si sí oui sim да 是 はい") {
			return strings.TrimPrefix(name, "is")
		}
	case "enabled", "isenabled", "published", "ispublished", "active", "isactive", "public", "ispublic", "live", "islive", "visible", "isvisible", "aktiv", "activo", "actif", "ativo":
		if is("false no n 0 nein non não нет 否 いいえ") {
			return "not " + strings.TrimPrefix(name, "is")
		}
	}
	return ""
}

// isFlag reports whether a field with such a name may say that its row is not for customers.
func isFlag(name string) bool {
	return notPublic(name, "draft") != "" || notPublic(name, "yes") != "" || notPublic(name, "no") != ""
}

// languageOf returns the tag of a language that text names: "EN", "pt-BR", "Deutsch"; or "". An ordinary
// word of two letters is none.
func languageOf(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	switch text {
	case "english", "englisch", "inglés", "anglais":
		return "en"
	case "german", "deutsch":
		return "de"
	case "french", "français":
		return "fr"
	case "spanish", "español":
		return "es"
	case "italian", "italiano":
		return "it"
	case "portuguese", "português":
		return "pt"
	case "dutch", "nederlands":
		return "nl"
	case "russian", "русский":
		return "ru"
	case "polish", "polski":
		return "pl"
	case "turkish", "türkçe":
		return "tr"
	case "japanese", "日本語":
		return "ja"
	case "chinese", "中文":
		return "zh"
	case "korean", "한국어":
		return "ko"
	case "arabic", "العربية":
		return "ar"
	case "indonesian":
		return "id"
	case "romanian", "română":
		return "ro"
	case "swedish", "svenska":
		return "sv"
	case "ukrainian", "українська":
		return "uk"
	}
	base, region, _ := strings.Cut(strings.ReplaceAll(text, "_", "-"), "-")
	if !strings.Contains(" ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl no pl pt ro ru sk sl sr sv th tr uk ur vi zh ", " "+base+" ") || len(region) > len("hans") {
		return ""
	}
	tag, err := language.Parse(strings.ReplaceAll(text, "_", "-"))
	if err != nil {
		return ""
	}
	return tag.String()
}

// splitHeader takes the language off the end of a header: "Question (EN)", "answer_de", "titleFr".
//
// "_id" and "_no" are no languages there: they are numbers.
func splitHeader(header string) (base, locale string) {
	if base, locale = splitLanguage(header); locale == "id" || locale == "no" {
		return header, ""
	}
	return base, locale
}

func splitLanguage(header string) (base, locale string) {
	header = strings.TrimSpace(header)
	if at := strings.LastIndexAny(header, " _-.([/"); at > 0 {
		if len(header)-at <= len("-BR)") { // the region of a language
			if before := strings.LastIndexAny(header[:at], " _.([/"); before > 0 {
				if tag := languageOf(strings.Trim(header[before+1:], " )]")); tag != "" {
					return header[:before], tag
				}
			}
		}
		if tag := languageOf(strings.Trim(header[at+1:], " )]")); tag != "" {
			return strings.TrimRight(header[:at], " _-.([/"), tag
		}
		return header, ""
	}
	if n := len(header); n > 3 && header[n-3] >= 'a' && header[n-3] <= 'z' && header[n-2] >= 'A' && header[n-2] <= 'Z' {
		if tag := languageOf(header[n-2:]); tag != "" {
			return header[:n-2], tag
		}
	}
	return header, ""
}
